"""Channels that write too much about what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from hosting import Destination, RequestError
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import BotChannel, RpcChannel
from ..reference.bot_api import Refused
from .model import mutant


@mutant(
    "logs-wrong-requests",
    defect="writes down the headers of a request that has a wrong field",
    kills={"HC-SEC-002": "the caller's authorization in the log"},
)
class LogsWrongRequests(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        try:
            return await super().handle(request)
        except RequestError:
            self.context.logger.info("a wrong request: %s", dict(request.headers))
            raise


@mutant(
    "logs-failed-calls",
    defect="writes down how it called a platform that failed, with its token",
    kills={"HC-SEC-002": "token in the log"},
)
class LogsFailedCalls(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        try:
            return await super().send(destination, method, params)
        except Refused as refused:
            if refused.status >= 500:
                self.context.logger.warning("%s failed for the bot %s", method, self.token)
            raise
