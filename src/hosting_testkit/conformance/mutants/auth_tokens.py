"""Channels that believe tokens which are not for them, or forget one of their doors."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from hosting import Caller, Channel, NotAuthenticated
from hosting.web import bearer_token

from ...drivers import Env
from ..reference import RpcChannel, SocketRpcChannel, UnaryRpcDriver
from ..reference.tokens import ISSUER
from .model import mutant


class _Careless(UnaryRpcDriver):
    """Checks a part of a token."""

    algorithms = ("ES256",)

    def make(self, env: Env) -> Channel:
        return self.channel_class(auth=self.check, **env.options)

    def check(self, connection: HTTPConnection) -> Caller:
        jwt: Any = import_module("jwt")
        token = bearer_token(connection)
        try:
            claims = jwt.decode(token, self.mint.public_key, options=self.options(token), **self.rest(token))
        except (jwt.PyJWTError, ValueError, TypeError):
            raise NotAuthenticated("No.") from None
        return Caller(id=claims["sub"])

    def options(self, token: bytes) -> Mapping[str, bool]:
        return {"verify_exp": False, "verify_nbf": False, "verify_iat": False}

    def rest(self, token: bytes) -> Mapping[str, Any]:
        return {"algorithms": self.algorithms, "issuer": ISSUER, "audience": "api://reference"}


@mutant("alg-none", kills={"HC-AUTH-004": "wrong unsigned is refused: FAILED"})
class AlgNone(_Careless):
    def options(self, token: bytes) -> Mapping[str, bool]:
        return {**super().options(token), "verify_signature": not token.endswith(b".")}


@mutant("no-audience", kills={"HC-AUTH-004": "wrong audience is refused: FAILED"})
class NoAudience(_Careless):
    def options(self, token: bytes) -> Mapping[str, bool]:
        return {**super().options(token), "verify_aud": False}


@mutant("ws-open", kills={"HC-AUTH-009": "runs with a missing credential: FAILED"})
class WebSocketOpen(SocketRpcChannel):
    async def serve(self, websocket: WebSocket) -> None:
        self.gate = _everybody
        await super().serve(websocket)


async def _everybody(connection: HTTPConnection) -> Caller:
    return Caller(id="ann")


@mutant(
    "locks-all-out",
    defect="closes for a quarter of an hour after twenty wrong tokens, whoever sent them",
    kills={"HC-AUTH-001": "the valid credential is let in after 24 wrong ones from elsewhere: FAILED"},
)
class LocksAllOut(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.wrong = 0

    async def authenticate(self, request: Request) -> Caller:
        try:
            caller = await super().authenticate(request)
        except NotAuthenticated:
            self.wrong += 1
            raise
        if self.wrong >= 20:
            raise NotAuthenticated("Too many wrong tokens.")
        return caller
