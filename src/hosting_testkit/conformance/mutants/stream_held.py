"""Channels whose streams leave something out, or hold it back until it is too late."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from hosting import HostedStreamResult

from ..reference import RpcChannel
from .model import mutant


def _text(frame: bytes) -> str | None:
    """The text of a delta; None for other events."""
    event, _, data = frame.partition(b"\ndata: ")
    return msgspec.json.decode(data.split(b"\n")[0])["text"] if event.endswith(b"delta") else None


@mutant(
    "drops-equal-pieces",
    defect="takes a piece like the one before it for a repetition",
    kills={"HC-STREAM-003": "equal pieces, one after the other: items of the stream: FAILED"},
)
class DropsEqualPieces(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        last: str | None = None
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                text = _text(frame)
                if text is None or text != last:
                    yield frame
                last = text


@mutant(
    "holds-white-space",
    defect="holds white space until text follows it, and loses it to a failure",
    kills={"HC-ERR-007": "what was said before it stays: FAILED"},
)
class HoldsWhiteSpace(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        held: list[bytes] = []
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                text = _text(frame)
                if text is not None and not text.strip():
                    held.append(frame)
                    continue
                if b"event: error" not in frame:
                    for earlier in held:
                        yield earlier
                held.clear()
                yield frame


@mutant(
    "hangs-up-at-shutdown",
    defect="ends a stream without a word when the host stops",
    kills={"HC-STREAM-005": "terminal events of a shut down stream: FAILED"},
)
class HangsUpAtShutdown(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                if b"shutting_down" not in frame:
                    yield frame


@mutant(
    "stopped-is-completed",
    defect="ends a stream that the host cuts off as if all had been said",
    kills={"HC-STREAM-005": "it does not end as a whole answer does: FAILED"},
)
class StoppedIsCompleted(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                if b"shutting_down" in frame:
                    yield self.frame(
                        "done", {"id": stream.response_id, "status": "completed", "items": ["said"]}
                    )
                else:
                    yield frame
