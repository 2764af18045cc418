"""Channels whose streams leave something out, or hold it back until it is too late."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from hosting import HostedStreamResult

from ..reference import RpcChannel
from .model import mutant


class _Framed(RpcChannel):
    """Sends other frames in place of its own, in one stream at a time."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.held: list[bytes] = []

    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        self.held.clear()
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                for other in self.instead(frame, stream.response_id):
                    yield other

    def instead(self, frame: bytes, response_id: str) -> Sequence[bytes]:
        return [frame]


def _text(frame: bytes) -> str | None:
    """The text of a delta; None for other events."""
    event, _, data = frame.partition(b"\ndata: ")
    return msgspec.json.decode(data.split(b"\n")[0])["text"] if event.endswith(b"delta") else None


@mutant(
    "drops-equal-pieces",
    defect="takes a piece like the one before it for a repetition",
    kills={"HC-STREAM-003": "equal pieces, one after the other: items of the stream: FAILED"},
)
class DropsEqualPieces(_Framed):
    def instead(self, frame: bytes, response_id: str) -> Sequence[bytes]:
        before, self.held = self.held, [frame]
        repeats = bool(before) and _text(frame) is not None and _text(frame) == _text(before[0])
        return [] if repeats else [frame]


@mutant(
    "holds-white-space",
    defect="holds white space until text follows it, and loses it to a failure",
    kills={"HC-ERR-007": "what was said before it stays: FAILED"},
)
class HoldsWhiteSpace(_Framed):
    def instead(self, frame: bytes, response_id: str) -> Sequence[bytes]:
        text = _text(frame)
        if text is not None and not text.strip():
            self.held.append(frame)
            return []
        held, self.held = self.held, []
        return [frame] if b"event: error" in frame else [*held, frame]


@mutant(
    "hangs-up-at-shutdown",
    defect="ends a stream without a word when the host stops",
    kills={"HC-STREAM-005": "terminal events of a shut down stream: FAILED"},
)
class HangsUpAtShutdown(_Framed):
    def instead(self, frame: bytes, response_id: str) -> Sequence[bytes]:
        return [] if b"shutting_down" in frame else [frame]


@mutant(
    "stopped-is-completed",
    defect="ends a stream that the host cuts off as if all had been said",
    kills={"HC-STREAM-005": "it does not end as a whole answer does: FAILED"},
)
class StoppedIsCompleted(_Framed):
    def instead(self, frame: bytes, response_id: str) -> Sequence[bytes]:
        if b"shutting_down" not in frame:
            return [frame]
        return [self.frame("done", {"id": response_id, "status": "completed", "items": ["said"]})]
