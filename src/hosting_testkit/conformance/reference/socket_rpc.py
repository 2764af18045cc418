"""The RPC channel over a WebSocket: one JSON message in for each turn, its events out, one message each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any

import msgspec
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from hosting import (
    BodyTooLarge,
    Caller,
    ChannelContext,
    ChannelContribution,
    HostingError,
    RequestError,
    RunFailed,
)
from hosting.web import decode_json_object, describe

from .rpc import RpcChannel
from .rpc_answers import RpcAnswers

_MAX_MESSAGE = 1024 * 1024
_MOST_WAITING = 16
_BROKEN_OFF = 1011


class SocketRpcChannel(RpcChannel):
    """The reference for channels over a WebSocket. Options as for `RpcChannel`; the socket is at the exact path.

    Messages are answered one after the other; a socket that closes cancels the turn under way (contract 7.3).
    """

    def __init__(self, *, name: str = "socket", path: str = "/socket", **options: Any) -> None:
        super().__init__(name=name, path=path, **options)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """One route."""
        self.context = context
        self.answers = RpcAnswers(context)
        return ChannelContribution(routes=[WebSocketRoute("/", self.serve)])

    async def serve(self, websocket: WebSocket) -> None:
        """One connection: authenticate the upgrade, then answer until the client leaves."""
        caller = await self.gate(websocket)
        await websocket.accept()
        waiting: asyncio.Queue[str | None] = asyncio.Queue(_MOST_WAITING)
        reading = asyncio.create_task(self.read_all(websocket, waiting), name="socket reader")
        answering = asyncio.create_task(self.answer_all(websocket, caller, waiting), name="socket answers")
        try:
            await asyncio.wait((reading, answering), return_when=asyncio.FIRST_COMPLETED)
            gone = reading.done()
        finally:
            reading.cancel()
            answering.cancel()
            await asyncio.wait((reading, answering))
        if not gone:
            await websocket.close(_BROKEN_OFF)

    async def read_all(self, websocket: WebSocket, waiting: asyncio.Queue[str | None]) -> None:
        """Queues messages until the client leaves; a full queue is not read."""
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            await waiting.put(message.get("text"))

    async def answer_all(
        self, websocket: WebSocket, caller: Caller, waiting: asyncio.Queue[str | None]
    ) -> None:
        """Answers messages in order."""
        while True:
            text = await waiting.get()
            try:
                await self.answer_one(websocket, caller, text)
            except HostingError as error:
                await self.tell(websocket, error)
            except (WebSocketDisconnect, OSError):  # a TimeoutError is one: it takes nothing any more
                return
            except Exception:
                failure = RunFailed(self.context.id_source.new("err"))
                self.context.logger.exception("a message failed (%s)", failure.error_id)
                await self.tell(websocket, failure)

    async def answer_one(self, websocket: WebSocket, caller: Caller, text: str | None) -> None:
        """Answers a message, or tells what is wrong with it."""
        try:
            await self.answer(websocket, caller, text)
        except HostingError as error:
            await self.tell(websocket, error)
        except (WebSocketDisconnect, OSError):
            raise
        except Exception:
            failure = RunFailed(self.context.id_source.new("err"))
            self.context.logger.exception("a message failed (%s)", failure.error_id)
            await self.tell(websocket, failure)

    async def answer(self, websocket: WebSocket, caller: Caller, text: str | None) -> None:
        """One turn."""
        body = self.body(text)
        turn = await self.with_answers(self.parse(body, caller, websocket.headers), body, caller)
        if turn.stream:
            async with aclosing(self.frames(await self.open(turn, body))) as frames:
                async for frame in frames:
                    await self.send(websocket, frame)
        else:
            result = await self.run(turn, body)
            await self.send(websocket, self.done(result, self.items(result)))

    def body(self, text: str | None) -> dict[str, Any]:
        """A message as JSON.

        Raises:
            RequestError: It is binary, or no JSON object.
            BodyTooLarge: It is too long.
        """
        if text is None:
            raise RequestError("Send text, not bytes.")
        raw = text.encode("utf-8", "surrogatepass")
        if len(raw) > self.context.limits.body_limit(_MAX_MESSAGE):
            raise BodyTooLarge("The message is too long.")
        return decode_json_object(raw)

    async def tell(self, websocket: WebSocket, error: HostingError) -> None:
        """Sends an error; the socket stays open."""
        problem = describe(error)
        told = {"code": problem.code, "message": problem.message, "param": problem.param}
        await self.send(websocket, self.frame("error", {**told, "status": problem.status}))

    async def send(self, websocket: WebSocket, frame: bytes) -> None:
        """One message, to a client that takes it in time (contract 7.2)."""
        async with asyncio.timeout(self.context.limits.write_timeout):
            await websocket.send_text(frame.decode())

    async def hang_up(self, websocket: WebSocket) -> None:
        """Says that the connection ends here, to a client that may not listen."""
        with suppress(WebSocketDisconnect, OSError):
            async with asyncio.timeout(self.context.limits.write_timeout):
                await websocket.close(1011)

    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        """One event on the wire."""
        return msgspec.json.encode({"event": event, **data})
