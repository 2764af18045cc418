"""API channels that answer more people than they should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from hosting import Caller

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("auth-none-default", kills={"HC-AUTH-006": "without credentials a stranger gets: FAILED"})
class AuthNoneDefault(RpcChannel):
    def __init__(self, *, auth: Any = None, **options: Any) -> None:
        super().__init__(auth=auth, **options)


@mutant(
    "loopback-trusts-forwarded",
    kills={"HC-AUTH-012": "another peer that calls itself loopback: status: FAILED"},
)
class LoopbackTrustsForwarded(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        if forwarded := request.headers.get("x-forwarded-for"):
            request.scope["client"] = (forwarded, 0)
        request.scope["headers"] = _without(request, b"x-forwarded-for")
        return await super().authenticate(request)


@mutant("loopback-any-host", kills={"HC-AUTH-012": "a foreign Host: status: FAILED"})
class LoopbackAnyHost(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        request.scope["headers"] = [*_without(request, b"host"), (b"host", b"localhost")]
        return await super().authenticate(request)


def _without(request: Request, name: bytes) -> list[tuple[bytes, bytes]]:
    return [header for header in request.scope["headers"] if header[0] != name]


@mutant(
    "opens-for-all",
    defect="lets anybody in where it was opened, though it has its secret",
    kills={"HC-AUTH-006": "a stranger where it was opened and has its secret: FAILED"},
)
class OpensForAll(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        if not self.unauthenticated:
            super().authenticate(raw, headers)
