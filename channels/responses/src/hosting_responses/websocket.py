"""The WebSocket transport: `response.create` in, the events of the response out, one response at a time.

What the client sends while a response runs waits in order. A socket that is closed, or whose client takes nothing for
`limits.write_timeout`, cancels, unless the response outlives its client (contract 7.2, 7.3). With `store=false` a response
can be continued on the same socket, and is gone with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from hosting import Caller, HostingError, NotReady, RequestError, RunFailed
from hosting.web import Gate, decode_json_object, describe

from .background import GoesOnElsewhere
from .codec import Event, encode
from .errors import error_object
from .records import ResponseRecord
from .routes import MAX_BODY_BYTES

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from .service import ResponseService
    from .turn import ResponseTurn

LIFETIME = 3600.0
"""Seconds after which a socket is closed, as the API does."""

MAX_WAITING = 16
"""Messages of a client that may wait while a response runs; then its socket is not read."""

_NOT_HERE = ("background", "generate", "stream", "stream_options")
_TOO_OLD = HostingError("The connection reached its longest life; open another one.")
_TOO_OLD.status, _TOO_OLD.code = 400, "websocket_connection_limit_reached"


class ResponseSockets:
    """The WebSocket endpoint of one channel.

    Args:
        service: Creates and stores responses.
        gate: Says who calls.
    """

    def __init__(self, service: ResponseService, gate: Gate) -> None:
        self._service = service
        self._gate = gate

    def at(self, prefix: str) -> list[WebSocketRoute]:
        return [WebSocketRoute(prefix or "/", self.serve), WebSocketRoute(f"{prefix}/ws", self.serve)]

    async def serve(self, websocket: WebSocket) -> None:
        caller = await self._gate(websocket)
        await websocket.accept()
        connection = _Connection(self._service, websocket, caller)
        try:
            async with asyncio.timeout(LIFETIME):
                await connection.serve()
        except TimeoutError:
            await connection.tell(_TOO_OLD)
            await websocket.close(1000, _TOO_OLD.code)
        finally:
            await connection.forget()


class _Connection:
    def __init__(self, service: ResponseService, websocket: WebSocket, caller: Caller) -> None:
        self._service = service
        self._websocket = websocket
        self._caller = caller
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue(MAX_WAITING)
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._unstored: ResponseRecord | None = None

    async def serve(self) -> None:
        """Answers messages in order until the client leaves or takes nothing any more."""
        answering, *_ = tasks = [
            asyncio.create_task(work, name=f"hosting.responses.websocket.{name}")
            for name, work in (
                ("answer", self._answer_all()),
                ("read", self._read_all()),
                ("drain", self._close_when_draining()),
            )
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                await self._hang_up()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def tell(self, error: HostingError) -> None:
        """Sends an error; the socket stays open."""
        problem = describe(error)
        body = error_object(
            status=problem.status, code=problem.code, message=problem.message, param=problem.param
        )
        await self._send([{"type": "error", "status": problem.status, "error": body}])

    async def forget(self) -> None:
        """Drops the response that only this socket could continue."""
        record, self._unstored = self._unstored, None
        if record is not None:
            await self._service.forget_unstored(record)

    async def _close_when_draining(self) -> None:
        """Servers wait for open sockets before they stop; what is under way comes to its end first (contract 1.7)."""
        await self._service.context.draining.wait()
        await self._quiet.wait()
        with suppress(OSError, RuntimeError):  # the client left at the same time
            await self._websocket.close(1001, "shutting_down")

    async def _read_all(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await self._waiting.put(
                message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")
            )

    async def _answer_all(self) -> None:
        while True:
            text = await self._waiting.get()
            self._quiet.clear()
            try:
                await self._answer(text or "")
            except HostingError as error:
                await self.tell(error)
            except (WebSocketDisconnect, OSError):
                return
            except Exception:
                failure = RunFailed(self._service.context.id_source.new("err"))
                self._service.context.logger.exception("A WebSocket message failed (%s).", failure.error_id)
                await self.tell(failure)
            if self._waiting.empty():
                self._quiet.set()

    async def _answer(self, text: str) -> None:
        body = self._read(text)
        try:
            turn = await self._service.prepare(
                {**body, "stream": True}, self._caller, unstored=self._unstored
            )
            portions = await self._portions(turn, body)
        except HostingError:
            if (
                self._unstored is not None
                and body.get("previous_response_id") == self._unstored.response["id"]
            ):
                await self.forget()
            raise
        try:
            async for events in portions:
                await self._send(events)
        except GoesOnElsewhere:
            raise NotReady("The server is shutting down; retrieve the response later.") from None
        finally:
            await portions.aclose()
        await self._remember(turn.record if not turn.request.store else None)

    async def _portions(self, turn: ResponseTurn, body: dict[str, Any]) -> AsyncGenerator[list[Event], None]:
        if not self._service.outlives(turn):
            return turn.events(await self._service.stream(turn, body))
        background = self._service.background
        return background.events(await background.begin(turn, body), self._caller)

    def _read(self, text: str) -> dict[str, Any]:
        raw = text.encode("utf-8", "replace")
        if len(raw) > self._service.context.limits.body_limit(MAX_BODY_BYTES):
            raise RequestError("The message is too large.")
        body = decode_json_object(raw)
        kind = body.pop("type", None)
        if kind != "response.create":
            raise RequestError(f"Invalid 'type': found {kind!r}, expected 'response.create'.", param="type")
        for name in _NOT_HERE:
            if body.get(name) is not None:
                raise RequestError(f"'{name}' is not used over a WebSocket; leave it out.", param=name)
        return body

    async def _remember(self, record: ResponseRecord | None) -> None:
        if record is not None:
            await self.forget()
            self._unstored = record

    async def _send(self, events: Iterable[Event]) -> None:
        async with asyncio.timeout(self._service.context.limits.write_timeout):
            for event in events:
                await self._websocket.send_text(encode(event).decode())

    async def _hang_up(self) -> None:
        """To a client that may not listen."""
        with suppress(WebSocketDisconnect, OSError, RuntimeError):
            async with asyncio.timeout(self._service.context.limits.write_timeout):
                await self._websocket.close(1011)
