"""Channels that change what was said, or run what was not said."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import ChannelRequest, HostedRunResult, InboundEvent
from hosting.web import StreamingAnswer

from ..reference import BotChannel, RpcChannel
from ..reference.bot import Ignored
from .model import mutant


@mutant("double-run", kills={"HC-REQ-001": "target runs of a turn"})
class DoubleRun(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        stream = await self.context.run_stream(turn, protocol_request=body)
        await stream.result()
        return await super().run(turn, body)


@mutant("strips-text", kills={"HC-REQ-002": "two spaces before"})
class StripsText(RpcChannel):
    def input(self, body: Mapping[str, Any]) -> str:
        return super().input(body).strip()


@mutant("strips-text", kills={"HC-REQ-002": "two spaces before"})
class StripsMessages(BotChannel):
    def text(self, payload: Mapping[str, Any]) -> str:
        return super().text(payload).strip()


@mutant(
    "cuts-input",
    defect="lets the target have the first 8000 characters of what was said, and says nothing of the rest",
    kills={"HC-REQ-002": "a text of 30000 characters arrives whole, or is refused: FAILED"},
)
class CutsInput(BotChannel):
    def text(self, payload: Mapping[str, Any]) -> str:
        return super().text(payload)[:8000]


@mutant("latin1", kills={"HC-REQ-002": "observed"})
class Latin1(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        return msgspec.json.decode((await request.body()).decode("latin-1"))


@mutant("runs-on-edit", kills={"HC-REQ-008": "runs of edit"})
class RunsOnEdit(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        kind = "message" if payload.get("kind") == "message_edited" else payload.get("kind")
        return super().parse({**payload, "kind": kind})


@mutant("5xx-on-unknown-event", kills={"HC-REQ-008": "kind-of-next-year is acknowledged"})
class FailsOnUnknownEvent(BotChannel):
    KNOWN = (
        "message",
        "message_edited",
        "member_joined",
        "member_left",
        "bot_blocked",
        "message_read",
        "reaction",
    )

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        self.KNOWN.index(payload["kind"])
        return super().parse(payload)


@mutant(
    "double-run-streamed",
    defect="runs the target once more to fill in the end of a stream",
    kills={"HC-REQ-001": "target runs of a streamed turn: FAILED"},
)
class DoubleRunStreamed(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> StreamingAnswer:
        await self.run(turn, body)
        return await super().answer_stream(turn, body)


@mutant(
    "unescapes-input",
    defect="takes what people say for HTML",
    kills={"HC-REQ-002": "the text '&lt;b&gt; &amp;amp; &cop': FAILED"},
)
class UnescapesInput(BotChannel):
    def text(self, payload: Mapping[str, Any]) -> str:
        return html.unescape(super().text(payload))
