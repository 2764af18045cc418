"""Channels whose frames are wrong, whatever they say."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from hosting import ChannelRequest, HostedStreamResult
from hosting.messaging import StreamedItems
from hosting.web import StreamingAnswer

from ..reference import RpcChannel
from .model import mutant

_SLICE = 64


@mutant("splits-utf8", kills={"HC-STREAM-009": "a long text: frames that do not decode: FAILED"})
class SplitsUtf8(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                for start in range(0, len(frame), _SLICE):
                    yield frame[start : start + _SLICE]


@mutant(
    "raw-newline",
    kills={"HC-STREAM-010": "raw-newline in frame 1", "HC-SEC-003": "outbound(wire) raised JSONDecodeError"},
)
class RawNewline(RpcChannel):
    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        pretty = msgspec.json.format(msgspec.json.encode(data), indent=2)
        return b"event: %b\ndata: %b\n\n" % (event.encode(), pretty)


@mutant("wrong-media-type", kills={"HC-STREAM-010": "media-type in frame 0"})
class WrongMediaType(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> StreamingAnswer:
        return StreamingAnswer(
            self.frames(await self.open(turn, body)),
            media_type="application/json",
            write_timeout=self.context.limits.write_timeout,
            logger=self.context.logger,
        )


@mutant("seq-gap", kills={"HC-STREAM-011": "updates that show nothing: the numbers: FAILED"})
class SequenceGap(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        items, numbers = StreamedItems(), self.numbers()
        try:
            async for update in stream:
                number = next(numbers)
                for item, text in items.add(update):
                    yield self.frame(
                        "delta", {"id": stream.response_id, "n": number, "item": item, "text": text}
                    )
            yield self.done(await stream.result(), items.texts)
        finally:
            await self.close(stream)


@mutant("new-id-per-event", kills={"HC-STREAM-012": "different ids of the response: FAILED"})
class NewIdPerEvent(RpcChannel):
    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        return super().frame(event, {**data, "id": self.context.id_source.new("evt")})
