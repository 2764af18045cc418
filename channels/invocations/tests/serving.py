"""What the wire tests share: a host with the channel, and a reader of its events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from hosting import ChannelRequest
from hosting.web import BearerTokens
from hosting_invocations import InvocationsChannel
from hosting_testkit import InMemoryHost
from hosting_testkit.streams import SSEEvent, SSEParser

PATH = "/invocations"
INVOCATION_ID = "x-agent-invocation-id"
SESSION_ID = "x-agent-session-id"
TOKENS = {"ann-token": "ann", "bob-token": "bob"}
ANN = {"authorization": "Bearer ann-token"}
BOB = {"authorization": "Bearer bob-token"}

Event = tuple[str, dict[str, Any]]


def serve(target: Any, *, host_options: Mapping[str, Any] | None = None, **options: Any) -> InMemoryHost:
    """A host whose one channel is made with `options`."""
    return InMemoryHost(target, lambda: [InvocationsChannel(**options)], **(host_options or {}))


def serve_ann_and_bob(target: Any, **options: Any) -> InMemoryHost:
    return serve(target, auth=BearerTokens(TOKENS), **options)


async def invoke(host: InMemoryHost, text: str = "hello", **body: Any) -> httpx.Response:
    """One invocation; `headers` are the request's, everything else is the body's."""
    headers = body.pop("headers", {})
    return await host.post(PATH, json={"input": text, **body}, headers=headers)


def events_of(body: bytes) -> list[Event]:
    """The events of a stream, decoded."""
    records = (record for record in SSEParser().feed(body) if isinstance(record, SSEEvent))
    return [(record.event or "message", json.loads(record.data)) for record in records]


def assembled(events: list[Event]) -> list[dict[str, Any]]:
    """The messages that a client puts together of a stream's events, without a look at the last one."""
    messages: dict[int, dict[str, Any]] = {}
    for name, data in events[:-1]:
        head = {key: data[key] for key in ("role", "author") if key in data}
        message = messages.setdefault(data["message"], {**head, "content": {}})
        items = message["content"]
        if name == "item":
            items[data["item"]] = data["content"]
        else:
            item = items.setdefault(data["item"], {"type": data["type"], "text": ""})
            item["text"] += data["text"]
    return [
        {**message, "content": [items for _, items in sorted(message["content"].items())]}
        for _, message in sorted(messages.items())
    ]


def recording(seen: list[ChannelRequest]) -> Any:
    """A run hook that writes down what it was given."""

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        seen.append(request)
        return request

    return run_hook
