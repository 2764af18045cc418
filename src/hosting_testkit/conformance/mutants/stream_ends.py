"""Channels whose streams end wrongly, or break at what is not plain text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from hosting import HostedRunResult, HostedStreamResult, HostingError
from hosting.messaging import StreamedItems

from ..reference import RpcChannel
from .model import mutant


@mutant("silent-eof", kills={"HC-STREAM-005": "terminal events of a failed stream: FAILED"})
@mutant(
    "silent-break",
    defect="breaks the stream off when the turn fails in the middle",
    kills={"HC-STREAM-004": "terminal events after a failure in the middle: FAILED"},
)
class SilentBreak(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                if not frame.startswith(b"event: error"):
                    yield frame


@mutant("empty-stream-crash", kills={"HC-STREAM-007": "no updates: how the stream ends: FAILED"})
class EmptyStreamCrash(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        items = StreamedItems()
        try:
            updates = [update async for update in stream]
            first = [*items.add(updates[0])]
            for item, text in [*first, *(new for update in updates[1:] for new in items.add(update))]:
                yield self.frame("delta", {"item": item, "text": text})
            yield self.done(await stream.result(), items.texts)
        finally:
            await self.close(stream)


@mutant("text-only-crash", kills={"HC-STREAM-008": "a tool call: the texts around it: FAILED"})
class TextOnlyCrash(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        said = ""
        try:
            async for update in stream:
                for content in update.contents:
                    piece: str = content.text  # type: ignore[assignment]
                    said += piece
                    yield self.frame("delta", {"item": 0, "text": piece})
            yield self.done(await stream.result(), [said])
        finally:
            await self.close(stream)


@mutant("mid-error-200", kills={"HC-ERR-007": "it does not end as a whole answer does: FAILED"})
class MidErrorDone(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        items = StreamedItems()
        try:
            async for update in stream:
                for item, text in items.add(update):
                    yield self.frame("delta", {"item": item, "text": text})
            yield self.done(await stream.result(), items.texts)
        except HostingError:
            answer = {"id": stream.response_id, "status": "completed", "items": items.texts}
            yield self.frame("done", answer)
        finally:
            await self.close(stream)


@mutant(
    "cut-off-as-whole",
    defect="calls an answer completed that was cut off",
    kills={"HC-STREAM-005": "endings that look like a completed stream: FAILED"},
)
class CutOffAsWhole(RpcChannel):
    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        return super().done(result.replace(status="completed"), items)


@mutant(
    "fills-empty-stream",
    defect="says something of its own where the target said nothing",
    kills={"HC-STREAM-007": "no updates: the text: FAILED"},
)
class FillsEmptyStream(RpcChannel):
    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        said = b"" if items else self.frame("delta", {"item": 0, "text": "(nothing)"})
        return said + super().done(result, items or ["(nothing)"])


@mutant(
    "tool-call-incomplete",
    defect="takes a tool call in the middle for the end",
    kills={"HC-STREAM-008": "a tool call: how the stream ends: FAILED"},
)
class ToolCallIncomplete(RpcChannel):
    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        contents = [content.type for message in result.response.messages for content in message.contents]
        return super().done(
            result.replace(status="incomplete") if "function_call" in contents else result, items
        )
