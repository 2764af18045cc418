"""Channels that show people something else than what was said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from hosting import Destination, HostedRunResult
from hosting.messaging import OutboundFile

from ..reference import BotChannel, RpcChannel
from ..reference.bot_api import Refused, escape
from ..reference.bot_message import place_of
from .model import mutant

_PAIR = re.compile(r"([*_`])\w+\1")


@mutant("unescaped", kills={"HC-TEXT-003": "marks in pairs: the text that people see: FAILED"})
class Unescaped(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        if method != "sendMessage":
            return await super().send(destination, method, params)
        marked = {**place_of(destination), **params, "format": "markup"}
        return str((await self.api.call(method, marked))["id"])


@mutant(
    "says-nothing-twice",
    defect="leaves out a text of an answer that was said in it before",
    kills={"HC-TEXT-004": "how often a text is shown that the answer holds twice: FAILED"},
)
class SaysNothingTwice(BotChannel):
    def items(self, payload: HostedRunResult[Any]) -> Sequence[str | OutboundFile]:
        items = super().items(payload)
        return [item for number, item in enumerate(items) if item not in items[:number]]


@mutant("markup-fail-lost", kills={"HC-TEXT-003": "the text after the platform refused its markup: FAILED"})
class MarkupFailLost(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        if method != "sendMessage":
            return await super().send(destination, method, params)
        marked = {**place_of(destination), **params, "text": escape(params["text"]), "format": "markup"}
        try:
            return str((await self.api.call(method, marked))["id"])
        except Refused:
            return "lost"


@mutant("drops-image", kills={"HC-TEXT-004": "an image is seen, or its name: FAILED"})
class DropsImage(RpcChannel):
    def render(self, result: HostedRunResult[Any], items: Sequence[str]) -> dict[str, Any]:
        shown = super().render(result, items)
        shown.pop("files", None)
        return shown


@mutant("drops-outbound-file", kills={"HC-TEXT-006": "bytes of image/png: FAILED"})
class DropsOutboundFile(BotChannel):
    def items(self, payload: HostedRunResult[Any]) -> Sequence[str | OutboundFile]:
        return [item for item in super().items(payload) if isinstance(item, str)]


@mutant("outbound-type-lost", kills={"HC-TEXT-006": "media type of image/png: FAILED"})
class OutboundTypeLost(BotChannel):
    def items(self, payload: HostedRunResult[Any]) -> Sequence[str | OutboundFile]:
        return [
            item
            if isinstance(item, str)
            else OutboundFile(item.name, "application/octet-stream", item.content)
            for item in super().items(payload)
        ]


@mutant(
    "url-letters",
    defect="encodes files with the letters of base64 that are meant for addresses",
    kills={"HC-TEXT-006": "bytes of application/zip: FAILED"},
)
class UrlLetters(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        if method == "sendFile":
            params = {**params, "data": params["data"].translate(str.maketrans("+/", "-_"))}
        return await super().send(destination, method, params)


@mutant(
    "file-instead-of-text",
    defect="sends the files of an answer and not what is said beside them",
    kills={
        "HC-TEXT-004": "the text beside an image: FAILED",
        "HC-TEXT-006": "the text beside image/png: FAILED",
    },
)
class FileInsteadOfText(BotChannel):
    def items(self, payload: HostedRunResult[Any]) -> Sequence[str | OutboundFile]:
        items = super().items(payload)
        return [item for item in items if not isinstance(item, str)] or items


@mutant(
    "markup-on-trial",
    defect="escapes what looks like markup, and sends the rest as it is to see whether it is taken",
    kills={"HC-TEXT-003": "marks that stand alone: messages that the platform refused: FAILED"},
)
class MarkupOnTrial(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        text = params.get("text", "")
        if method == "sendMessage" and not _PAIR.search(text):
            marked = {**place_of(destination), **params, "format": "markup"}
            with suppress(Refused):
                return str((await self.api.call(method, marked))["id"])
        return await super().send(destination, method, params)


@mutant(
    "tidies-blank-lines",
    defect="makes one blank line of several, also in poems and programs",
    kills={"HC-TEXT-004": "a text with much white space and escapes in it: FAILED"},
)
class TidiesBlankLines(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return super().split(re.sub(r"\n{3,}", "\n\n", text))
