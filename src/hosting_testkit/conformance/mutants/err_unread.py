"""Channels that refuse a body rightly, and do something about it all the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import ChannelRequest, HostingError, RequestError
from hosting.web import JsonAnswer, StreamingAnswer, decode_json_object, read_body, require_json

from ..reference import BotChannel, RpcChannel, RpcDriver
from .model import mutant

_LARGEST = 1024 * 1024


@mutant(
    "asks-agent-about-garbage",
    defect="tells the agent of each request that it could not read",
    kills={
        "HC-ERR-001": "runs of a body that is not JSON: FAILED",
        "HC-ERR-002": "runs of text/plain: FAILED",
        "HC-ERR-003": "runs of it: FAILED",
        "HC-ERR-004": "runs with a wrong input: FAILED",
        "HC-ERR-005": "runs of deep nesting: FAILED",
    },
)
class AsksAgentAboutGarbage(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except RequestError as error:
            await self.context.run(ChannelRequest(channel=self.name, input=f"Unreadable: {error.message}"))
            raise


class _AnswersGarbageWithNothing(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except RequestError as error:
            fault = f"input stream session: {error.param}"
            return JsonAnswer(msgspec.json.encode({"id": fault, "status": "completed", "items": []}))


@mutant(
    "error-free-protocol",
    defect="answers a broken body with 200, as its protocol has it, and without the protocol's error",
    kills={
        "HC-ERR-001": "an error for a body that is not JSON: FAILED",
        "HC-ERR-004": "an error for a wrong input: FAILED",
    },
)
class ErrorFreeProtocol(RpcDriver):
    channel_class = _AnswersGarbageWithNothing
    malformed_status = 200


@mutant(
    "reads-on",
    defect="reads three times as far as its limit before it refuses",
    kills={"HC-ERR-003": "bytes that were read: FAILED"},
)
class ReadsOn(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        require_json(request.headers)
        limit = self.context.limits.body_limit(_LARGEST)
        return decode_json_object(await read_body(request, 3 * limit))


@mutant("recursion", kills={"HC-ERR-005": "status of deep nesting: FAILED"})
class BotRecursion(BotChannel):
    def decode(self, raw: bytes) -> dict[str, Any]:
        try:
            return json.loads(raw)
        except ValueError:
            raise RequestError("The body is no JSON.") from None


@mutant(
    "logs-strangers-garbage",
    defect="logs each broken body as a failure of its own",
    kills={"HC-ERR-005": "failures in the log: FAILED"},
)
class LogsGarbage(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        try:
            return await super().read(request)
        except RequestError:
            self.context.logger.exception("channel %s could not read a body", self.name)
            raise


@mutant(
    "offended",
    defect="refuses everything once somebody has sent it a broken body",
    kills={"HC-ERR-005": "an ordinary turn afterwards: FAILED"},
)
class Offended(RpcChannel):
    offence: HostingError | None = None

    async def read(self, request: Request) -> dict[str, Any]:
        if self.offence is not None:
            raise self.offence
        try:
            return await super().read(request)
        except RequestError as error:
            self.offence = error
            raise
