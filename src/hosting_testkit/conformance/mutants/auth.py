"""Channels that let everybody in, or nobody."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from starlette.requests import Request

from hosting import Caller, NotAuthenticated

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("accept-any", kills={"HC-AUTH-001": "a missing credential: FAILED"})
class AcceptAny(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        return Caller(id="ann")


@mutant("accept-any", kills={"HC-AUTH-001": "a missing credential: FAILED"})
class AcceptAnySignature(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        return


@mutant(
    "compares-texts",
    defect="compares signatures as texts, which must be ASCII for it",
    kills={"HC-AUTH-001": "x-signature that has a letter that is not ASCII: FAILED"},
)
class ComparesTexts(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        hmac.compare_digest(headers.get("x-signature", ""), "sha256=")
        super().authenticate(raw, headers)


@mutant("reject-all", kills={"HC-AUTH-001": "CONTROL FAILED"}, answers=False)
class RejectAll(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        raise NotAuthenticated("No.")
