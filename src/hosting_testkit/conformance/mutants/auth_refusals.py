"""Channels that refuse too late, or in a way that tells too much."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import Caller, Denied, HostingError, NotAuthenticated
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import BotChannel, RpcChannel
from .model import mutant

_SHORTEST = len("Bearer ") + 40


@mutant(
    "refuses-with-200",
    defect="acknowledges what it does not believe, so as to tell a forger nothing",
    kills={
        "HC-AUTH-001": "a missing credential: FAILED",
        "HC-AUTH-005": "missing: refused: FAILED",
        "HC-AUTH-008": "a wrong credential is refused: FAILED",
    },
)
class RefusesWith200(BotChannel):
    async def receive(self, request: Request) -> JsonAnswer:
        try:
            return await super().receive(request)
        except NotAuthenticated:
            return JsonAnswer(b'{"ok":true}')


@mutant(
    "authenticates-last",
    defect="asks who it was once the turn has run",
    kills={
        "HC-AUTH-001": "runs with a missing credential: FAILED",
        "HC-AUTH-005": "missing: runs: FAILED",
        "HC-AUTH-006": "runs of a stranger without credentials: FAILED",
        "HC-AUTH-012": "another peer: runs: FAILED",
    },
)
class AuthenticatesLast(RpcChannel):
    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        body = await self.read(request)
        result = await self.run(self.parse(body, Caller("anybody"), request.headers), body)
        await self.authenticate(request)
        return JsonAnswer(msgspec.json.encode(self.render(result, self.items(result))))


@mutant(
    "seen-before-auth",
    defect="remembers the id of an event before it looks at the signature",
    kills={"HC-AUTH-005": "an event after a forged copy of it is answered: FAILED"},
)
class SeenBeforeAuth(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: set[str] = set()
        self.repeated = False

    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        with suppress(HostingError):
            event_id = str(self.decode(raw).get("id"))
            self.repeated = event_id in self.seen
            self.seen.add(event_id)
        super().authenticate(raw, headers)

    async def take(self, payload: Mapping[str, Any]) -> None:
        if not self.repeated:
            await super().take(payload)


class _TellsShortTokens(RpcChannel):
    """Looks at a token that is refused once more."""

    async def authenticate(self, request: Request) -> Caller:
        try:
            return await super().authenticate(request)
        except NotAuthenticated as error:
            whole = len(request.headers.get("authorization", "")) >= _SHORTEST
            raise (error if whole else self.refusal(error)) from None

    def refusal(self, error: NotAuthenticated) -> HostingError:
        raise NotImplementedError


@mutant(
    "status-oracle",
    defect="refuses a token that is too short with another status",
    kills={"HC-AUTH-008": "truncated: status: FAILED"},
)
class StatusOracle(_TellsShortTokens):
    def refusal(self, error: NotAuthenticated) -> HostingError:
        return Denied(error.message)


@mutant(
    "header-oracle",
    defect="asks for patience, in a header, where a token is too short",
    kills={"HC-AUTH-008": "truncated: headers: FAILED"},
)
class HeaderOracle(_TellsShortTokens):
    def refusal(self, error: NotAuthenticated) -> HostingError:
        return NotAuthenticated(error.message, retry_after=1.0)
