"""Channels that let secrets out, or let what a model says do more than be read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hosting import Destination, NotAuthenticated

from ..reference import BotChannel
from ..reference.bot_api import BotApi
from ..reference.bot_message import place_of
from ..reference.bot_signature import signature_of
from .model import mutant

_NAMED = re.compile(r"@(\w+)")


@mutant("logs-token", kills={"HC-SEC-002": "token in the log"})
class LogsToken(BotChannel):
    async def start(self) -> None:
        self.context.logger.info("calling https://bots.example/bot%s/getMe", self.token)
        await super().start()


@mutant("repr-secret", kills={"HC-SEC-002": "signing in repr"})
class ReprSecret(BotChannel):
    def __repr__(self) -> str:
        return f"BotChannel(path={self.path!r}, secret={self.secret!r})"


@mutant(
    "logs-what-was-expected",
    defect="writes beside a wrong signature which one would have been right",
    kills={"HC-SEC-002": "the right x-"},
)
class LogsWhatWasExpected(BotChannel):
    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        try:
            super().authenticate(raw, headers)
        except NotAuthenticated:
            right = signature_of(raw, self.secrets[0], headers.get("x-timestamp", ""))
            self.context.logger.info("a wrong signature, expected %s", right)
            raise


@mutant(
    "shows-what-can-be-printed",
    defect="drops the signs of a text that cannot be seen by themselves",
    kills={"HC-SEC-003": "a text in two scripts and two lines: what is shown: FAILED"},
)
class ShowsWhatCanBePrinted(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        kept = "".join(sign for sign in text if sign.isprintable() or sign.isspace())
        return super().split(kept)


@mutant("mention-injection", kills={"HC-SEC-003": "mentions: FAILED"})
class MentionInjection(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        named = list(_NAMED.finditer(params.get("text", "")))
        if method != "sendMessage" or not named:
            return await super().send(destination, method, params)
        entities = [
            {"type": "mention", "offset": name.start(), "length": len(name[0]), "person": "u_ann"}
            for name in named
        ]
        sent = await self.api.call(method, {**place_of(destination), **params, "entities": entities})
        return str(sent["id"])


class _FetchesElsewhere(BotApi):
    async def download(self, file_id: str) -> bytes:
        answer = await self._client.get(f"https://files.example/files/{file_id}", headers=self._headers)
        return answer.content


@mutant("bearer-anywhere", kills={"HC-SEC-004": "to files.example"})
class BearerAnywhere(BotChannel):
    """Files lie on another server, which gets the bot's token too."""

    async def start(self) -> None:
        await super().start()
        self.api = _FetchesElsewhere(self.client, self.token, self.context.time_source.now)


class _TokenInAddress(BotApi):
    async def call(self, method: str, params: Mapping[str, Any], *, timeout: float | None = 10.0) -> Any:
        token = self._headers["authorization"].removeprefix("Bearer ")
        return await super().call(f"{method}?token={token}", params, timeout=timeout)


@mutant(
    "token-in-address",
    defect="puts the token into the address of each call, where logs keep it",
    kills={"HC-SEC-004": "secrets in addresses: FAILED"},
)
class TokenInAddress(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.api = _TokenInAddress(self.client, self.token, self.context.time_source.now)
