"""What the wire tests share: a host with the channel, and a reader of its events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

from hosting import ChannelRequest, InMemoryHostStateStore
from hosting.state import Statement
from hosting.state.base import Rows
from hosting.web import BearerTokens
from hosting_invocations import InvocationsChannel
from hosting_testkit import InMemoryHost
from hosting_testkit.streams import SSEEvent, SSEParser
from tests.host.shared_state import Line

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


class WatchedLine(Line):
    """A line on which something can be made to happen just before a statement of that name, once."""

    def __init__(self, state: InMemoryHostStateStore) -> None:
        super().__init__(state)
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}

    async def execute(self, *unit: Statement) -> list[Rows]:
        for statement in unit:
            happens = self.before.pop(statement.name, None)
            if happens is not None:
                await happens()
        return await super().execute(*unit)


@asynccontextmanager
async def replicas(*targets: Any) -> AsyncIterator[list[tuple[InMemoryHost, WatchedLine]]]:
    """Hosts on one store, each over a line of its own."""
    state = InMemoryHostStateStore()
    await state.open()
    async with AsyncExitStack() as stack:
        lines = [WatchedLine(state) for _ in targets]
        hosts = [
            await stack.enter_async_context(serve(target, host_options={"state": line}))
            for target, line in zip(targets, lines, strict=True)
        ]
        yield list(zip(hosts, lines, strict=True))
        for line in lines:
            line.cut = False
    await state.close()


async def invoke(host: InMemoryHost, text: str = "hello", **body: Any) -> httpx.Response:
    """One invocation; `headers` are the request's, everything else is the body's."""
    headers = body.pop("headers", {})
    return await host.post(PATH, json={"input": text, **body}, headers=headers)


async def status_of(host: InMemoryHost, invocation: str = "job", **headers: str) -> Any:
    """The status that a poll finds, or the HTTP status if it finds none."""
    reply = await host.get(f"{PATH}/{invocation}", headers=headers)
    return reply.json()["status"] if reply.status_code == 200 else reply.status_code


async def ended(host: InMemoryHost, invocation: str = "job", **headers: str) -> dict[str, Any]:
    """The answer of an invocation once it has ended; needs a virtual loop."""
    async with asyncio.timeout(600):
        while True:
            reply = await host.get(f"{PATH}/{invocation}", headers=headers)
            if reply.json().get("status") not in ("queued", "in_progress"):
                assert reply.status_code == 200, reply.text
                return reply.json()
            await asyncio.sleep(0.1)


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
