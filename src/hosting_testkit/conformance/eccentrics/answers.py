"""Odd answers over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request

from hosting import (
    Caller,
    ChannelContext,
    ChannelContribution,
    ErrorAnswer,
    HostedRunResult,
    NotAuthenticated,
)
from hosting.web import JsonAnswer

from ...drivers.wire import Error, Out
from ..reference import BotChannel, BotDriver, RpcChannel, RpcDriver
from ..reference.rpc_header import VersionHeader
from .model import eccentric


@eccentric("answers-202", "acknowledges with 202", base=BotDriver)
class Answers202(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        return JsonAnswer((await super().receive(request)).body, status=202)


@eccentric("answers-204", "acknowledges with 204 and no body", base=BotDriver)
class Answers204(BotChannel):
    async def receive(self, request: Request) -> Any:
        await super().receive(request)
        return _NoContent()


class _NoContent(JsonAnswer):
    def __init__(self) -> None:
        super().__init__(b"", status=204)


@eccentric("forbids", "answers 403 where others say 401", base=BotDriver)
class Forbids(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        try:
            return await super().receive(request)
        except NotAuthenticated:
            return JsonAnswer(b'{"error":{"message":"No.","code":"forbidden"}}', status=403)


@eccentric("explains-itself", "writes for debugging what it does about each request", base=RpcDriver)
class ExplainsItself(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        self.context.logger.debug("channel %s asks who it is", self.name)
        try:
            return await super().authenticate(request)
        except NotAuthenticated:
            self.context.logger.debug("channel %s does not know", self.name)
            raise


@eccentric("acks-early", "acknowledges other kinds of events before it reads them", base=BotDriver)
class AcksEarly(BotChannel):
    def decode(self, raw: bytes) -> dict[str, Any]:
        ours = b'"kind":"message"' in raw or b'"kind":"button"' in raw or b'"kind"' not in raw
        return super().decode(raw) if ours else {"kind": "other"}


@eccentric("compressed", "compresses answers and events", base=RpcDriver)
class Compressed(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        return replace(inside, middleware=[*inside.middleware, Middleware(GZipMiddleware, minimum_size=1)])


@eccentric("talkative", "adds fields and headers that nobody asked for", base=RpcDriver)
class Talkative(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        return replace(inside, middleware=[*inside.middleware, Middleware(_ExtraHeader)])

    def render(self, result: HostedRunResult[Any], items: Sequence[str]) -> dict[str, Any]:
        return {"extra": {"n": [1, None]}, **super().render(result, items)}


class _ExtraHeader(VersionHeader):
    NAME = "x-extra"


class ProblemDriver(RpcDriver):
    """Reads problem documents (RFC 9457)."""

    def error(self, body: Any) -> Sequence[Out]:
        return [Error(body["detail"], body["code"])]


@eccentric("problems", "tells errors as application/problem+json", base=ProblemDriver)
class Problems(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return replace(super().contribute(context), render_error=_problem)


def _problem(*, status: int, code: str, message: str, param: str | None = None) -> ErrorAnswer:
    body: Mapping[str, Any] = {"type": "about:blank", "status": status, "detail": message, "code": code}
    headers = {"content-type": "application/problem+json"}
    named = body if param is None else {**body, "param": param}
    return ErrorAnswer(status=status, body=msgspec.json.encode(named), headers=headers)
