"""Channels that tell of a failure in the middle of a stream in a way that clients do not understand."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from hosting import HostedStreamResult, RunFailed

from ...drivers import Out, Removed
from ..reference import RpcChannel, RpcDriver
from .model import mutant


class _EndsOtherwise(RpcChannel):
    """Sends something else in place of the protocol's error."""

    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                if b"event: error" not in frame:
                    yield frame
                    continue
                for other in self.ending(frame, stream):
                    yield other

    def ending(self, error: bytes, stream: HostedStreamResult) -> Sequence[bytes]:
        raise NotImplementedError

    def failed(self) -> bytes:
        return self.frame("done", {"id": "", "status": "failed", "items": []})


@mutant(
    "breaks-off",
    defect="just stops when the target fails in the middle",
    kills={"HC-ERR-007": "the failure is told: FAILED"},
)
class BreaksOff(_EndsOtherwise):
    def ending(self, error: bytes, stream: HostedStreamResult) -> Sequence[bytes]:
        return []


@mutant(
    "error-as-text",
    defect="says a failure in the middle as if the target had said it",
    kills={"HC-ERR-007": "the error is the protocol's: FAILED"},
)
class ErrorAsText(_EndsOtherwise):
    def ending(self, error: bytes, stream: HostedStreamResult) -> Sequence[bytes]:
        sorry = {"id": stream.response_id, "n": 99, "item": 0, "text": " Sorry, that did not work."}
        return [self.frame("delta", sorry), self.failed()]


@mutant(
    "error-and-end",
    defect="ends a stream that failed twice: by the error and by the usual event",
    kills={"HC-ERR-007": "terminal events: FAILED"},
)
class ErrorAndEnd(_EndsOtherwise):
    def ending(self, error: bytes, stream: HostedStreamResult) -> Sequence[bytes]:
        return [error, self.failed()]


class _Retracting(_EndsOtherwise):
    def ending(self, error: bytes, stream: HostedStreamResult) -> Sequence[bytes]:
        return [self.frame("retract", {"item": 0}), error]


@mutant(
    "takes-back",
    defect="takes back what was said when the target fails in the middle",
    kills={"HC-ERR-007": "what was said before it stays: FAILED"},
)
class TakesBack(RpcDriver):
    channel_class = _Retracting

    def told(self, kind: str, data: Mapping[str, Any]) -> Sequence[Out]:
        return [Removed(str(data["item"]))] if kind == "retract" else super().told(kind, data)


@mutant(
    "explains-in-the-middle",
    defect="puts the exception behind a failure in the middle into its error",
    kills={"HC-ERR-007": "nothing of the exception is told: FAILED"},
)
class ExplainsInTheMiddle(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                yield await self.explained(stream) if b"event: error" in frame else frame

    async def explained(self, stream: HostedStreamResult) -> bytes:
        try:
            await stream.result()
        except RunFailed as error:
            return self.frame("error", {"code": error.code, "message": str(error.__context__)})
        return b""
