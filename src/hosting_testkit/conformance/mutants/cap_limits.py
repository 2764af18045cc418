"""Channels whose limits are not what they say, on the other side of the number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import BodyTooLarge, RequestError
from hosting.web import JsonAnswer, StreamingAnswer, read_json_object

from ...simulators import BotLimits, BotPlatform
from ...transports.asgi import ASGIApp
from ..reference import BotChannel, BotDriver, RpcChannel
from ..reference.bot_replies import TEXT_LIMIT
from ..reference.rpc_body import INPUT_LIMIT
from .model import mutant


@mutant(
    "repeats-at-seam",
    defect="says the last character of a part again in the next",
    kills={"HC-CAP-004": f"the answer of {TEXT_LIMIT + 1}, joined: FAILED"},
)
class RepeatsAtSeam(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        first, *others = super().split(text)
        return [first, *(first[-1] + other for other in others)]


class _EndsWithBlankLine(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return [f"{part}\n\n" for part in super().split(text)]


@mutant(
    "sim-accepts-all",
    defect="has a simulator that takes what the platform refuses, and sends more than the platform takes",
    kills={"HC-CAP-004": f"messages of {TEXT_LIMIT} above the limit: FAILED"},
)
class SimAcceptsAll(BotDriver):
    channel_class = _EndsWithBlankLine

    def platform(self) -> ASGIApp:
        limits = BotLimits(text=10**6, per_chat=None, per_group=None, overall=None)
        self.sim = BotPlatform(token="t" * 32, limits=limits)
        return self.sim.app


@mutant("limit-off-by-one", kills={"HC-CAP-004": f"runs of an input of {INPUT_LIMIT}, the limit being"})
class InputOffByOne(RpcChannel):
    def input(self, body: Any) -> str:
        text = super().input(body)
        if len(text) >= INPUT_LIMIT:
            raise RequestError("The input is too long.", param="input")
        return text


@mutant(
    "drops-long-input",
    defect="answers an input that is too long with nothing",
    kills={"HC-CAP-004": f"an input of {INPUT_LIMIT + 1} is refused: FAILED"},
)
class DropsLongInput(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except RequestError as error:
            if error.param != "input":
                raise
            return JsonAnswer(msgspec.json.encode({"id": "", "status": "completed", "items": []}))


@mutant(
    "large-body-500",
    defect="lets a body that is too large look like a fault of its own",
    kills={"HC-CAP-004": "a body 1 above max_body_bytes is refused: FAILED"},
)
class LargeBody500(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        try:
            return await super().read(request)
        except BodyTooLarge as error:
            raise RuntimeError("the buffer is full") from error


@mutant(
    "lowers-body-limit",
    defect="takes no more than 1 MiB, also where the operator allows more",
    kills={"HC-CAP-004": "runs of a body of 1572864 bytes where twice as many are allowed: FAILED"},
)
class LowersBodyLimit(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        if int(request.headers["content-length"]) > 2**20:
            raise BodyTooLarge("The body is larger than 1 MiB.")
        return await super().receive(request)


@mutant(
    "own-body-limit",
    defect="bounds bodies by a number of its own, whatever the host's limit is",
    kills={
        "HC-CAP-004": "runs of a body 1 above max_body_bytes: FAILED",
        "HC-ERR-003": "status of a body that goes on beyond",
    },
)
class OwnBodyLimit(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        return await read_json_object(request, 16 * 2**20)
