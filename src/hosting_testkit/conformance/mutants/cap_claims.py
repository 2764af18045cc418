"""Channels whose claims are not true."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from hosting import ChannelRequest
from hosting.messaging import split_utf16
from hosting.web import read_json_object

from ...drivers import NOT_IMPLEMENTED
from ..reference import BotChannel, RpcChannel, RpcDriver
from ..reference.bot_replies import TEXT_LIMIT
from .model import mutant


@mutant("undeclared-stream", kills={"HC-CAP-002": "streaming is not declared: FAILED"})
class UndeclaredStream(RpcDriver):
    capabilities = RpcDriver.capabilities.but(
        streaming=NOT_IMPLEMENTED("one answer"), sse=NOT_IMPLEMENTED("one answer")
    )


class HangingChannel(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Any) -> Any:
        await asyncio.Event().wait()


@mutant("hang-on-undeclared", kills={"HC-CAP-002": "streaming, which is not declared, is refused: FAILED"})
class HangOnUndeclared(UndeclaredStream):
    channel_class = HangingChannel


@mutant("limit-off-by-one", kills={"HC-CAP-004": "runs of a body 0 above max_body_bytes: FAILED"})
class LimitOffByOne(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        return await read_json_object(request, self.context.limits.body_limit(1024 * 1024) - 1)


@mutant("limit-off-by-one", kills={"HC-CAP-004": f"messages for an answer of {TEXT_LIMIT}, the limit being"})
class SplitsTooEarly(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return split_utf16(text, TEXT_LIMIT - 1)
