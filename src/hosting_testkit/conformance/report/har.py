"""The transcripts as an HTTP archive, for the tools that read one. Times are virtual; each item is a page."""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ..model import ItemResult, WireRecord
from .environment import Environment
from .model import Report

_START = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
"""When virtual time begins; the date means nothing."""


def to_har(*reports: Report) -> str:
    """All connections of all items."""
    pages: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for report in reports:
        for result in report.results:
            page = f"{report.channel}::{result.id}"
            found = _entries(result, page)
            if found:
                title = f"{page} {result.verdict}"
                pages.append({"id": page, "title": title, "startedDateTime": _at(0), "pageTimings": {}})
                entries += found
    creator = {"name": "hosting-testkit", "version": Environment.here().kit}
    log = {"version": "1.2", "creator": creator, "pages": pages, "entries": entries}
    return json.dumps({"log": log}, indent=1, ensure_ascii=False) + "\n"


def _entries(result: ItemResult, page: str) -> list[dict[str, Any]]:
    connections: dict[int, list[WireRecord]] = defaultdict(list)
    for record in result.wire:
        connections[record.connection].append(record)
    return [
        _entry(records, page)
        for number, records in sorted(connections.items())
        if number and records[0].kind == "request"
    ]


def _entry(records: Sequence[WireRecord], page: str) -> dict[str, Any]:
    asked, answered = records[0], next((r for r in records if r.kind in ("response", "accepted")), None)
    method, _, target = asked.text.partition(" ")
    host = dict(asked.headers).get("host", "channel")
    spent = round((records[-1].at - asked.at) * 1000, 3)
    before = round(((answered.at if answered else records[-1].at) - asked.at) * 1000, 3)
    entry: dict[str, Any] = {
        "pageref": page,
        "startedDateTime": _at(asked.at),
        "time": spent,
        "request": {
            "method": method,
            "url": f"http://{host}{target}",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(asked),
            "queryString": [],
            "headersSize": -1,
            "bodySize": -1,
            **_posted(records),
        },
        "response": _response(records, answered),
        "cache": {},
        "timings": {"send": 0, "wait": before, "receive": round(spent - before, 3)},
        "comment": f"sent to the {asked.side}; virtual time",
    }
    messages = [record for record in records if record.kind in ("message-in", "message-out")]
    if messages:
        entry["_webSocketMessages"] = [_message(record) for record in messages]
    return entry


def _response(records: Sequence[WireRecord], answered: WireRecord | None) -> dict[str, Any]:
    status = 101 if answered and answered.kind == "accepted" else int(answered.text) if answered else 0
    kind = next((v for k, v in answered.headers if k.lower() == "content-type"), "") if answered else ""
    text = _body(records, "response-body")
    return {
        "status": status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(answered) if answered else [],
        "content": {"size": len(text), "mimeType": kind, "text": text},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _posted(records: Sequence[WireRecord]) -> dict[str, Any]:
    text = _body(records, "request-body")
    kind = next((v for k, v in records[0].headers if k.lower() == "content-type"), "")
    return {"postData": {"mimeType": kind, "text": text}} if text else {}


def _body(records: Sequence[WireRecord], kind: str) -> str:
    return "".join(record.text for record in records if record.kind == kind)


def _headers(record: WireRecord) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in record.headers]


def _message(record: WireRecord) -> dict[str, Any]:
    way = "send" if record.kind == "message-in" else "receive"
    return {"type": way, "time": record.at, "opcode": 1, "data": record.text}


def _at(seconds: float) -> str:
    return (_START + datetime.timedelta(seconds=seconds)).isoformat()
