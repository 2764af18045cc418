"""Odd streams."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from itertools import count
from typing import Any

import msgspec

from hosting import ChannelRequest, HostedStreamResult, HostingError
from hosting.messaging import StreamedItems
from hosting.web import StreamingAnswer

from ...drivers import SUPPORTED, Inbound
from ..reference import EditBotChannel, EditBotDriver, RpcChannel, RpcDriver, UnaryRpcChannel, UnaryRpcDriver
from ..reference.draft import Draft
from .model import eccentric


@eccentric("crlf", "ends lines with CRLF and puts comments between events", base=RpcDriver)
class Crlf(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                yield (b": between\n\n" + frame).replace(b"\n", b"\r\n")


@eccentric("many-lines", "spreads the data over several lines, and sends id and retry", base=RpcDriver)
class ManyLines(RpcChannel):
    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        lines = msgspec.json.format(msgspec.json.encode(data), indent=2).split(b"\n")
        joined = b"".join(b"data: " + line + b"\n" for line in lines)
        return b"retry: 1000\nid: 7\nevent: " + event.encode() + b"\n" + joined + b"\n"


@eccentric("large-frames", "joins all updates that wait into one delta", base=RpcDriver)
class LargeFrames(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        items, numbers = StreamedItems(), self.numbers()
        try:
            async for batch in stream.batches():
                added: dict[int, str] = {}
                for item, text in (new for update in batch for new in items.add(update)):
                    added[item] = added.get(item, "") + text
                for item, text in added.items():
                    place = {"id": stream.response_id, "n": next(numbers), "item": item}
                    yield self.frame("delta", {**place, "text": text})
            yield self.done(await stream.result(), items.texts)
        except HostingError as error:
            yield self.frame("error", {"code": error.code, "message": error.message})
        finally:
            await self.close(stream)


@eccentric("small-frames", "sends one grapheme a delta", base=RpcDriver)
class SmallFrames(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        numbers = count()
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                yield b"".join(self._cut(frame, numbers))

    def _cut(self, frame: bytes, numbers: Iterator[int]) -> Iterator[bytes]:
        if not frame.startswith(b"event: delta"):
            yield frame
            return
        delta = msgspec.json.decode(frame.partition(b"data: ")[2])
        for piece in _graphemes(delta["text"]):
            yield self.frame("delta", {**delta, "n": next(numbers), "text": piece})


def _graphemes(text: str) -> Iterator[str]:
    piece = ""
    for char in text:
        joined = unicodedata.combining(char) or char in "\u200d\ufe0f" or piece.endswith("\u200d")
        if piece and not joined:
            yield piece
            piece = ""
        piece += char
    yield piece


@eccentric("heartbeat", "sends a keep-alive every 100 ms", base=RpcDriver)
class Heartbeat(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> StreamingAnswer:
        stream = await self.open(turn, body)
        timeout = self.context.limits.write_timeout
        return StreamingAnswer(
            self.frames(stream), write_timeout=timeout, keepalive=0.1, logger=self.context.logger
        )


class _ReadsNoStream(UnaryRpcDriver):
    def wrong_fields(self) -> Mapping[str, Inbound]:
        return {field: inbound for field, inbound in super().wrong_fields().items() if field != "stream"}


@eccentric(
    "whole-instead", "answers whole when asked for a stream that it does not declare", base=_ReadsNoStream
)
class WholeInstead(UnaryRpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Any, headers: Mapping[str, str]) -> ChannelRequest:
        return RpcChannel.parse(self, body, caller, headers).replace(stream=False)


@eccentric(
    "rare-edits",
    "edits rarely, so that people miss most states",
    base=EditBotDriver,
    capabilities=EditBotDriver.capabilities.but(edits=SUPPORTED(interval=1.9)),
)
class RareEdits(EditBotChannel):
    def new_draft(self, place: Any) -> Draft:
        draft = super().new_draft(place)
        draft.interval = 1.9
        return draft


@eccentric(
    "first-piece-alone",
    "shows the first piece as it comes, and the rest when its pace allows",
    base=EditBotDriver,
    capabilities=EditBotDriver.capabilities.but(edits=SUPPORTED(interval=1.9)),
)
class FirstPieceAlone(RareEdits):
    async def show(self, stream: HostedStreamResult, draft: Draft) -> None:
        items = StreamedItems()
        async for update in stream:
            for _ in items.add(update):
                draft.texts = items.texts
            await draft.show(self.so_far(draft))
