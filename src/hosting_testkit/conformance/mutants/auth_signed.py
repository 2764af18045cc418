"""Platform channels whose signatures prove less than they seem to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hosting import NotAuthenticated

from ..reference import BotChannel, BotDriver
from ..reference.bot_signature import is_signed, signature_of
from .model import mutant


@mutant("signs-reparsed", kills={"HC-AUTH-002": "a blank behind the body is refused: FAILED"})
class SignsReparsed(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        super().authenticate(msgspec.json.encode(msgspec.json.decode(raw)), headers)


class _SignsTheBodyAlone(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        if headers.get("x-signature") not in [signature_of(raw, secret, "") for secret in self.secrets]:
            raise NotAuthenticated("The signature is missing or wrong.")


@mutant("ignores-timestamp", kills={"HC-AUTH-002": "another time is refused: FAILED"})
class IgnoresTimestamp(BotDriver):
    channel_class = _SignsTheBodyAlone

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        given = dict(super().credentials(credential, user, body))
        if credential == "valid":
            given["x-signature"] = signature_of(body, self.env.secret("signing"), "")
        return given


@mutant("no-expiry", kills={"HC-AUTH-003": "a credential -360 s from now is refused: FAILED"})
class NoExpiry(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        now = headers.get("x-timestamp", "")
        if not now.isdigit() or not is_signed(raw, headers, self.secrets, float(now)):
            raise NotAuthenticated("The signature is missing or wrong.")


@mutant("zero-skew", kills={"HC-AUTH-003": "a credential -1 s from now is let in: FAILED"})
class ZeroSkew(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        super().authenticate(raw, headers)
        if int(headers["x-timestamp"]) != int(self.context.time_source.now()):
            raise NotAuthenticated("The signature is missing or wrong.")


@mutant("open-by-default", kills={"HC-AUTH-006": "without its secret: FAILED"})
class OpenByDefault(BotChannel):
    def __init__(self, **options: Any) -> None:
        options.setdefault("dangerously_allow_unauthenticated", not options["secret"])
        super().__init__(**options)


@mutant(
    "opens-in-silence",
    defect="says nothing when it starts without authentication",
    kills={"HC-AUTH-006": "a warning at the start: FAILED"},
)
class OpensInSilence(BotChannel):
    async def start(self) -> None:
        allowed, self.unauthenticated = self.unauthenticated, False
        await super().start()
        self.unauthenticated = allowed


@mutant(
    "no-old-key",
    defect="takes what is signed with the key before this one, and where there was none, with no key",
    kills={"HC-AUTH-002": "a body that is signed with an empty key is refused: FAILED"},
)
class NoOldKey(BotChannel):
    before = ""

    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        if not is_signed(raw, headers, [self.before], self.context.time_source.now()):
            super().authenticate(raw, headers)


@mutant(
    "any-digit",
    defect="takes for a number whatever has digits, and stumbles over those of other scripts",
    kills={"HC-AUTH-001": "x-timestamp that is a digit that is not ASCII: FAILED"},
)
class AnyDigit(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        timestamp = headers.get("x-timestamp", "")
        if timestamp.isdigit() and abs(int(timestamp) - self.context.time_source.now()) > 3600:
            raise NotAuthenticated("The time is too far off.")
        super().authenticate(raw, headers)
