"""Channels that break on what they do not declare, and those that a careless check would take for honest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from hosting import ChannelRequest, HostedRunResult, RequestError

from ...drivers import NOT_IMPLEMENTED
from ..reference import RpcChannel, RpcDriver
from .cap_claims import UndeclaredStream
from .model import mutant


@mutant(
    "slow-control",
    defect="answers once a time limit of its own has passed",
    kills={"HC-CAP-001": "the answer comes at once: FAILED"},
    answers=False,
)
class SlowControl(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        await asyncio.sleep(30)
        return await super().run(turn, body)


@mutant(
    "canned-input",
    defect="asks the target the same whatever was said",
    kills={"HC-CAP-001": "the input at the target: FAILED"},
    answers=False,
)
class CannedInput(RpcChannel):
    def input(self, body: Mapping[str, Any]) -> str:
        return "Please greet the user."


class _CrashesOnStream(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Any) -> Any:
        raise NotImplementedError("streams come with the next version")


@mutant(
    "crash-on-undeclared",
    defect="breaks when asked for an undeclared feature",
    kills={"HC-CAP-002": "server errors when asked for streaming: FAILED"},
)
class CrashOnUndeclared(UndeclaredStream):
    channel_class = _CrashesOnStream


@mutant(
    "refuses-everything",
    defect="refuses every turn, so that nothing undeclared works either",
    kills={"HC-CAP-002": "an ordinary turn works all the same: FAILED"},
    answers=False,
)
class RefusesEverything(RpcChannel):
    def input(self, body: Mapping[str, Any]) -> str:
        raise RequestError("This is not supported.", param="input")


@mutant(
    "profile-shortfall",
    defect="denies what its profile requires",
    kills={"HC-CAP-003": "requires and the driver denies: FAILED"},
)
class ProfileShortfall(RpcDriver):
    capabilities = RpcDriver.capabilities.but(sessions=NOT_IMPLEMENTED("each request stands alone"))
