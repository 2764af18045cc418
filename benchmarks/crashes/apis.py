"""Scenarios of the API: requests with an `Idempotency-Key`, repeated until they are answered."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass
from typing import Any

import httpx

from .stage import Stage
from .verdict import may_be, state_defects

Kill = tuple[str, int | str] | None
_PAUSE = 0.01


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended for its caller.

    Args:
        id: The response's id, "" where there is none.
        text: What it said.
        code: The error's code, "" where it succeeded.
    """

    id: str = ""
    text: str = ""
    code: str = ""


async def with_a_key(stage: Stage, kill: Kill) -> list[str]:
    """A request, the same again, and one that continues it."""
    return await _talk(stage, kill, stream=False)


async def streamed(stage: Stage, kill: Kill) -> list[str]:
    """The same as streams."""
    return await _talk(stage, kill, stream=True)


async def _talk(stage: Stage, kill: Kill, *, stream: bool) -> list[str]:
    first = await stage.start(kill=kill)
    one = await _ask(stage, "one", key="k1", stream=stream)
    again = await _ask(stage, "one", key="k1", stream=stream)
    previous = {} if one.code else {"previous_response_id": one.id}
    two = await _ask(stage, "two", key="k2", stream=stream, **previous)
    found: list[str] = []
    if not one.code:
        kept = await _kept(stage, one.id)
        if kept != one:
            found.append(f"the stored response: found {kept}, expected {one}")
    first.signal(signal.SIGTERM)
    await first.until("exit")
    if (one.text, one.code) != (again.text, again.code) or one.id != again.id:
        found.append(f"the same key: found {again}, expected {one}")
    return [*found, *_defects(stage, one, two), *state_defects(stage, ["one", "two"])]


def _defects(stage: Stage, one: Answer, two: Answer) -> list[str]:
    cut = may_be(stage.dead, "claimed")
    codes = [answer.code for answer in (one, two) if answer.code]
    found: list[str] = []
    if set(codes) - {"interrupted"} or len(codes) not in cut:
        found.append(f"found codes {codes}, expected {cut} interrupted: {one}, {two}")
    if not one.code and one.text != "one: heard 1":
        found.append(f"found {one}, expected 'one: heard 1'")
    wanted = "two: heard 1" if one.code else "two: heard 2"
    if not two.code and two.text != wanted:
        found.append(f"found {two}, expected {wanted!r}")
    turns = stage.books.turns()
    if turns != {code: n for code, n in (("interrupted", len(codes)), ("completed", 2 - len(codes))) if n}:
        found.append(f"found turns {dict(turns)}, expected {len(codes)} interrupted and the rest completed")
    return found


async def _ask(stage: Stage, text: str, *, key: str, stream: bool, **more: Any) -> Answer:
    """Asks again and again until there is an answer."""
    body = {"model": "m", "input": text, "stream": stream, **more}
    async with asyncio.timeout(30):
        while True:
            try:
                answer = await _once(stage, body, key)
            except (httpx.HTTPError, _Broken):
                await asyncio.sleep(_PAUSE)
                await stage.start_again()
                continue
            if answer.code in ("turn_in_progress", "not_ready", "shutting_down"):
                await asyncio.sleep(_PAUSE)
                continue
            return answer


class _Broken(Exception):
    """A stream ended without its last event."""


async def _once(stage: Stage, body: dict[str, Any], key: str) -> Answer:
    response = await stage.http.post("/responses", json=body, headers={"idempotency-key": key})
    if response.headers["content-type"].startswith("text/event-stream"):
        return _last(response.text)
    return _read(response.json())


def _last(stream: str) -> Answer:
    """What the last event of a stream says."""
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
    ends = [event for event in events if event["type"] in ("response.completed", "response.failed", "error")]
    if not ends:
        raise _Broken
    if len(ends) > 1:
        return Answer(code=f"{len(ends)} ends")
    return _read(ends[0].get("response") or ends[0])


def _read(record: dict[str, Any]) -> Answer:
    error = record.get("error") or ({"code": record.get("code")} if record.get("type") == "error" else None)
    if error:
        return Answer(code=str(error["code"]))
    parts = [part["text"] for item in record["output"] for part in item.get("content", ())]
    return Answer(record["id"], "".join(parts))


async def _kept(stage: Stage, id: str) -> Answer:
    async with asyncio.timeout(30):
        while True:
            try:
                return _read((await stage.http.get(f"/responses/{id}")).json())
            except httpx.HTTPError:
                await asyncio.sleep(_PAUSE)
                await stage.start_again()
