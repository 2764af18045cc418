"""Channels that spoil a stream, or the end of one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from starlette.responses import StreamingResponse

from hosting import ChannelRequest, HostedRunResult, HostedStreamResult
from hosting.messaging import StreamedItems

from ..reference import RpcChannel
from .model import mutant


@mutant("buffers-stream", kills={"HC-STREAM-001": "nothing until the end"})
class BuffersStream(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        yield b"".join([frame async for frame in super().frames(stream)])


@mutant("delta-final-skew", kills={"HC-STREAM-003": "items in the end of the stream"})
class DeltaFinalSkew(RpcChannel):
    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        return super().done(result, [item.strip() for item in items])


@mutant("two-terminals", kills={"HC-STREAM-004": "terminal events after a failure in the middle: FAILED"})
class TwoTerminals(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        failed = False
        async for frame in super().frames(stream):
            failed = frame.startswith(b"event: error")
            yield frame
        if failed:
            yield self.frame("done", {"id": stream.response_id, "status": "completed", "items": []})


@mutant("post-terminal-delta", kills={"HC-STREAM-004": "events behind the terminal one"})
class PostTerminalDelta(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        last = b""
        async for frame in super().frames(stream):
            yield frame
            last = frame if frame.startswith(b"event: delta") else last
        yield last


class _PlainStreaming(RpcChannel):
    """Hands a generator to Starlette, which does not close it."""

    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> Any:
        stream = await self.context.run_stream(turn, protocol_request=body)
        return StreamingResponse(self.frames(stream), media_type="text/event-stream")


@mutant("no-aclose", kills={"HC-CANCEL-004": "not closed after"})
class NoClose(_PlainStreaming):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        items = StreamedItems()
        async for update in stream:
            for item, text in items.add(update):
                yield self.frame("delta", {"item": item, "text": text})
        yield self.done(await stream.result(), items.texts)


@mutant("cleanup-in-gc", kills={"HC-CANCEL-004": "not closed after"})
class CleanupInGc(_PlainStreaming):
    """Closes in `finally`, which runs whenever the collector comes by."""


@mutant(
    "replace-adds",
    defect="adds a replacement to the text that it replaces",
    kills={"HC-STREAM-003": "an equal replacement: items of the stream: FAILED"},
)
class ReplaceAdds(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        try:
            async for update in stream:
                yield self.frame("delta", {"item": 0, "text": update.text})
            result = await stream.result()
            yield self.done(result, self.items(result))
        finally:
            await self.close(stream)


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
