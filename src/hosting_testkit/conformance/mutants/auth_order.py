"""Channels that do something before they know for whom, or tell strangers too much."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from hosting import Caller, NotAuthenticated
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


@mutant("parse-before-auth", kills={"HC-AUTH-005": "missing: status of a broken body: FAILED"})
class ParseBeforeAuth(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        request.state.body = await super().read(request)
        return await super().handle(request)

    async def read(self, request: Request) -> dict[str, Any]:
        return request.state.body


@mutant("auth-oracle", kills={"HC-AUTH-008": "truncated: body: FAILED"})
class AuthOracle(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        try:
            return await super().authenticate(request)
        except NotAuthenticated:
            given = request.headers.get("authorization", "")
            fault = "is incomplete" if len(given) < len("Bearer ") + 40 else "is unknown"
            raise NotAuthenticated(f"The token {fault}.") from None
