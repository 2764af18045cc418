"""The WebSocket client sees accepts, refusals, messages, closes and errors of an ASGI app as they happen."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from hosting_testkit.clock import virtual_time
from hosting_testkit.transports.asgi import ASGIViolation, BridgeOptions, Message
from hosting_testkit.transports.transcript import AppKilled, Disconnected, MessageIn, MessageOut, SocketClosed
from hosting_testkit.transports.websocket import WebSocketClosed, WebSocketRejected, connect

Style = Literal["2.3", "2.4"]
BOTH_STYLES = pytest.mark.parametrize("asgi", ["2.3", "2.4"])


def starlette(endpoint: object) -> Starlette:
    return Starlette(routes=[WebSocketRoute("/ws", endpoint)])  # type: ignore[arg-type]  # any endpoint


async def echo(ws: WebSocket) -> None:
    await ws.accept(subprotocol=ws.scope["subprotocols"][0] if ws.scope["subprotocols"] else None)
    while (message := await ws.receive())["type"] == "websocket.receive":
        await ws.send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


async def test_text_bytes_and_json_go_both_ways_and_are_recorded() -> None:
    async with connect(starlette(echo), "/ws?a=1", headers={"x-key": "v"}, subprotocols=["a", "b"]) as ws:
        assert ws.accepted.subprotocol == "a"
        await ws.send_text("hi")
        assert await ws.receive_text() == "hi"
        await ws.send_bytes(b"\0")
        assert await ws.receive_bytes() == b"\0"
        await ws.send_json({"a": [1]})
        assert await ws.receive_json() == {"a": [1]}
    wire = [r.data for r in ws.transcript if isinstance(r, MessageIn | MessageOut)]
    assert wire == ["hi", "hi", b"\0", b"\0", '{"a":[1]}', '{"a":[1]}']
    assert [(r.reason, r.code) for r in ws.transcript.of(Disconnected)] == [("client closed with 1000", 1000)]


async def test_a_message_of_the_other_kind_is_an_error() -> None:
    async with connect(starlette(echo), "/ws") as ws:
        await ws.send_bytes(b"data")
        with pytest.raises(TypeError, match="binary message of 4 bytes"):
            await ws.receive_text()


async def test_a_close_before_accept_is_a_403() -> None:
    async def refuse(ws: WebSocket) -> None:
        await ws.close(4001)

    with pytest.raises(WebSocketRejected) as refused:
        async with connect(starlette(refuse), "/ws"):
            pass
    assert refused.value.status == 403


async def test_a_refusal_with_a_response_keeps_status_headers_and_body() -> None:
    async def refuse(ws: WebSocket) -> None:
        await ws.send_denial_response(JSONResponse({"error": "key"}, 401, {"www-authenticate": "Bearer"}))

    with pytest.raises(WebSocketRejected) as refused:
        async with connect(starlette(refuse), "/ws"):
            pass
    assert (refused.value.status, refused.value.body) == (401, b'{"error":"key"}')
    assert (b"www-authenticate", b"Bearer") in refused.value.headers


async def test_iteration_gives_what_was_sent_and_ends_at_a_clean_close() -> None:
    async def talk(ws: WebSocket) -> None:
        await ws.accept()
        await ws.send_text("one")
        await ws.send_text("two")
        await ws.close(1000)

    async with connect(starlette(talk), "/ws") as ws:
        assert [message async for message in ws] == ["one", "two"]
        with pytest.raises(WebSocketClosed):
            await ws.send_text("too late")


async def test_iteration_raises_at_any_other_close_with_its_code_and_reason() -> None:
    async def talk(ws: WebSocket) -> None:
        await ws.accept()
        await ws.close(1008, "policy")

    async with connect(starlette(talk), "/ws") as ws:
        with pytest.raises(WebSocketClosed) as closed:
            _ = [message async for message in ws]
    assert (closed.value.code, closed.value.reason) == (1008, "policy")
    assert [(r.code, r.reason) for r in ws.transcript.of(SocketClosed)] == [(1008, "policy")]


async def test_an_app_that_returns_without_closing_is_a_lost_connection() -> None:
    async def leave(ws: WebSocket) -> None:
        await ws.accept()

    async with connect(starlette(leave), "/ws") as ws:
        with pytest.raises(WebSocketClosed) as closed:
            await ws.receive()
    assert closed.value.code == 1006


async def test_the_app_sees_the_clients_code_after_the_messages_before_it() -> None:
    seen: list[object] = []

    async def listen(ws: WebSocket) -> None:
        await ws.accept()
        try:
            while True:
                seen.append(await ws.receive_text())
        except WebSocketDisconnect as gone:
            seen.append((gone.code, gone.reason))

    async with connect(starlette(listen), "/ws") as ws:
        await ws.send_text("last words")
        await ws.close(4000, "bye")
    assert seen == ["last words", (4000, "bye")]


@BOTH_STYLES
async def test_a_client_that_vanishes_is_seen_by_receive_and_in_the_new_style_by_send(asgi: Style) -> None:
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        seen.append((await receive())["code"])
        await send({"type": "websocket.send", "text": "x"})

    async with connect(app, "/", options=BridgeOptions(asgi=asgi)) as ws:
        ws.disconnect()
    assert seen == [1006]
    assert (ws.app_error is None) == (asgi == "2.3")


async def test_send_waits_for_a_reader_when_the_window_is_full() -> None:
    sent: list[int] = []

    async def flood(ws: WebSocket) -> None:
        await ws.accept()
        for number in range(10):
            sent.append(number)
            await ws.send_text("x")

    async with connect(starlette(flood), "/ws", options=BridgeOptions(window=1)):
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(sent) == 2


async def test_drop_after_loses_the_connection_after_that_many_messages() -> None:
    async def flood(ws: WebSocket) -> None:
        await ws.accept()
        while True:
            await ws.send_text("x")

    async with connect(starlette(flood), "/ws", options=BridgeOptions(drop_after=2)) as ws:
        assert [await ws.receive(), await ws.receive()] == ["x", "x"]
        with pytest.raises(WebSocketClosed, match="1006"):
            await ws.receive()
    assert ws.app_error is not None


@pytest.mark.parametrize("where", ["before accept", "after accept", "after close"])
async def test_an_error_of_the_app_reaches_the_client(where: str) -> None:
    async def fails(ws: WebSocket) -> None:
        if where != "before accept":
            await ws.accept()
        if where == "after close":
            await ws.close()
        raise KeyError(where)

    with pytest.raises(KeyError, match=where):
        async with connect(starlette(fails), "/ws") as ws:
            _ = [message async for message in ws]


@virtual_time
async def test_an_app_that_does_not_notice_the_close_is_cancelled_after_its_grace() -> None:
    async def deaf(ws: WebSocket) -> None:
        await ws.accept()
        await asyncio.get_running_loop().create_future()

    async with connect(starlette(deaf), "/ws", options=BridgeOptions(grace=2)) as ws:
        pass
    assert [record.at for record in ws.transcript.of(AppKilled)] == [2]
    assert asyncio.all_tasks() == {asyncio.current_task()}


ACCEPT: Message = {"type": "websocket.accept"}
TEXT: Message = {"type": "websocket.send", "text": "x"}
CLOSE: Message = {"type": "websocket.close"}


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], "without an answer"),
        ([TEXT], "before websocket.accept"),
        ([ACCEPT, ACCEPT], "expected websocket.send"),
        ([ACCEPT, CLOSE, TEXT], "after the connection was closed"),
        ([ACCEPT, {"type": "websocket.send"}], "with text or bytes"),
        ([{**ACCEPT, "subprotocol": "other"}], "accepted subprotocol 'other'"),
        ([{"type": "websocket.http.response.start", "status": 400}, ACCEPT], "http.response.body"),
    ],
)
async def test_an_app_that_breaks_the_protocol_is_told_what_it_did(
    messages: list[Message], text: str
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(ASGIViolation, match=text):
        async with connect(app, "/", subprotocols=["mine"]) as ws:
            _ = [message async for message in ws]
