"""Channels that spoil text or ids on their way into a frame."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from hosting import ChannelRequest, HostedStreamResult
from hosting.web import JsonAnswer

from ..reference import RpcChannel
from .model import mutant


class _ChangesText(RpcChannel):
    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        changed = {**data, "text": self.change(data["text"])} if event == "delta" else data
        return super().frame(event, changed)

    def change(self, text: str) -> str:
        raise NotImplementedError


@mutant(
    "drops-astral",
    defect="drops characters that need two UTF-16 units",
    kills={"HC-STREAM-009": "a long text: what comes: FAILED"},
)
class DropsAstral(_ChangesText):
    def change(self, text: str) -> str:
        return "".join(character for character in text if ord(character) <= 0xFFFF)


@mutant(
    "joins-lines",
    defect="turns line ends into blanks, so that they do no harm",
    kills={"HC-STREAM-010": "many lines: what comes: FAILED"},
)
class JoinsLines(_ChangesText):
    def change(self, text: str) -> str:
        return " ".join(text.splitlines())


@mutant(
    "splits-surrogates",
    defect="cuts text between the two UTF-16 units of a character",
    kills={"HC-STREAM-009": "a long text: texts with lone surrogates: FAILED"},
)
class SplitsSurrogates(RpcChannel):
    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        units = data.get("text", "").encode("utf-16-le", "surrogatepass")
        if len(units) < 4:
            return super().frame(event, data)
        parts = [units[:2], units[2:]]
        texts = [part.decode("utf-16-le", "surrogatepass") for part in parts]
        return b"".join(
            b"event: delta\ndata: %b\n\n" % json.dumps({**data, "text": text}).encode() for text in texts
        )


@mutant(
    "stream-at-once",
    defect="sends a stream in one piece, with its length",
    kills={"HC-STREAM-010": "content-length of a stream: FAILED"},
)
class StreamAtOnce(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> Any:
        whole = b"".join([frame async for frame in self.frames(await self.open(turn, body))])
        return JsonAnswer(whole, media_type="text/event-stream")


@mutant(
    "byte-order-mark",
    defect="begins a stream with a byte order mark",
    kills={"HC-STREAM-010": "no byte order mark: FAILED"},
)
class ByteOrderMark(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        yield b"\xef\xbb\xbf"
        async for frame in super().frames(stream):
            yield frame


@mutant(
    "one-id-for-all",
    defect="gives every answer the same id",
    kills={"HC-STREAM-012": "another turn's response has another id: FAILED"},
)
class OneIdForAll(RpcChannel):
    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        return super().frame(event, {**data, "id": "resp_1"})
