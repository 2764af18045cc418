"""Channels that tell too much, or blame the wrong side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import ChannelRequest, HostedRunResult, HostingError, RunFailed

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("json-500", kills={"HC-ERR-001": "status of a body that is not JSON: FAILED"})
class Json500(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        return msgspec.json.decode(await request.body())


@mutant("json-500", kills={"HC-ERR-001": "status of a body that is not JSON: FAILED"})
class BotJson500(BotChannel):
    def decode(self, raw: bytes) -> dict[str, Any]:
        return msgspec.json.decode(raw)


@mutant("leaks-exception", kills={"HC-ERR-006": "the exception's text"})
class LeaksException(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except HostingError as error:
            raise RunFailed("none", message=f"{error.message} {error.__context__}") from error


@mutant(
    "swallows-failure",
    defect="answers a failed turn as if the target had said nothing",
    kills={"HC-ERR-006": "something is told: FAILED"},
)
class SwallowsFailure(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except RunFailed:
            return HostedRunResult(None)
