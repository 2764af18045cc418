"""Channels that do not notice that their client has left, or make too much of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from hosting import ChannelRequest, HostedRunResult, HostedStreamResult
from hosting.messaging import StreamedItems
from hosting.web import StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


class _Pump:
    """A streamed answer that listens to nobody."""

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        self.frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            async for frame in self.frames:
                await self.send(send, frame, more=True)
            await self.send(send, b"", more=False)
        finally:
            await self.frames.aclose()

    async def send(self, send: Send, frame: bytes, *, more: bool) -> None:
        await send({"type": "http.response.body", "body": frame, "more_body": more})


class _PumpOn(_Pump):
    async def send(self, send: Send, frame: bytes, *, more: bool) -> None:
        try:
            await super().send(send, frame, more=more)
        except OSError:
            return


class _PumpWithAnError(_Pump):
    async def send(self, send: Send, frame: bytes, *, more: bool) -> None:
        try:
            await super().send(send, frame, more=more)
        except OSError as error:
            raise RuntimeError("the client cannot be reached") from error


class _PumpAsCancelled(_Pump):
    async def send(self, send: Send, frame: bytes, *, more: bool) -> None:
        try:
            await super().send(send, frame, more=more)
        except OSError as error:
            raise asyncio.CancelledError from error


class _OwnPump(RpcChannel):
    pump: type[_Pump]

    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> Any:
        return self.pump(self.frames(await self.open(turn, body)))


@mutant(
    "ignores-disconnect",
    kills={"HC-CANCEL-002": "hang target: its stream when the client has left, ASGI 2.3: FAILED"},
)
class IgnoresDisconnect(_OwnPump):
    pump = _Pump


@mutant(
    "swallow-oserror",
    kills={"HC-CANCEL-003": "flood target: its stream when the client has left, ASGI 2.4: FAILED"},
)
class SwallowsOSError(_OwnPump):
    pump = _PumpOn


@mutant("oserror-escapes", kills={"HC-CANCEL-003": "failures in the log: FAILED"})
class OSErrorEscapes(_OwnPump):
    pump = _PumpWithAnError


class _PlainStreaming(RpcChannel):
    """Hands a generator to Starlette, which does not close it."""

    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> Any:
        stream = await self.open(turn, body)
        return StreamingResponse(self.frames(stream), media_type="text/event-stream")


@mutant(
    "goes-on-for-nobody",
    defect="lets a run go on whose caller has left before the answer",
    kills={"HC-CANCEL-007": "runs under way of a request whose client has left: FAILED"},
)
class GoesOnForNobody(RpcChannel):
    def lets_go(self, turn: ChannelRequest) -> bool:
        return True

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        running = self.context.spawn(super().run(turn, body), name="run")
        return await (asyncio.shield(running) if self.lets_go(turn) else running)


@mutant(
    "finishes-what-has-a-key",
    defect="lets a run go on whose caller has left, if its request had a key",
    kills={"HC-CANCEL-007": "runs under way of a request with a key whose client has left: FAILED"},
)
class FinishesWhatHasAKey(GoesOnForNobody):
    def lets_go(self, turn: ChannelRequest) -> bool:
        return turn.delivery_id is not None


@mutant(
    "leaves-as-cancelled",
    defect="ends as if it had been cancelled when its client has left",
    kills={"HC-CANCEL-003": "what left the application: FAILED"},
)
class LeavesAsCancelled(_OwnPump):
    pump = _PumpAsCancelled


@mutant(
    "no-aclose",
    kills={
        "HC-CANCEL-003": "flood target: its stream when the client has left, ASGI 2.4: FAILED",
        "HC-CANCEL-004": "not closed after",
    },
)
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
    "keeps-half-a-turn",
    defect="keeps what a client that left was told, as a turn of its own",
    kills={"HC-CANCEL-004": "client gone after 1 chunks, ASGI 2.4: the next turn: FAILED"},
)
class KeepsHalfATurn(RpcChannel):
    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> StreamingAnswer:
        said = turn.replace(input="as far as it came", stream=False, response_id=None)
        frames = self.kept(self.frames(await self.open(turn, body)), said)
        return StreamingAnswer(frames, write_timeout=30, logger=self.context.logger)

    async def kept(self, frames: AsyncGenerator[bytes], said: ChannelRequest) -> AsyncGenerator[bytes]:
        whole = False
        try:
            async for frame in frames:
                yield frame
            whole = True
        finally:
            await frames.aclose()
            if not whole:
                self.context.spawn(self.context.run(said), name="keep")
