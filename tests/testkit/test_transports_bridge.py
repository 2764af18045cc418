"""The bridge streams, leaves early, pushes back and tells on the app exactly as a socket would."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any, Literal

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hosting_testkit.clock import virtual_time
from hosting_testkit.transports.asgi import ASGIViolation, BridgeOptions, Message
from hosting_testkit.transports.bridge import ClientGone, Exchange, HttpRequest
from hosting_testkit.transports.transcript import (
    AppEnded,
    AppFailed,
    AppKilled,
    Disconnected,
    RequestChunk,
    RequestLine,
    ResponseChunk,
    ResponseHead,
)
from hosting_testkit.transports.upload import half_open

Style = Literal["2.3", "2.4"]
BOTH_STYLES = pytest.mark.parametrize("asgi", ["2.3", "2.4"])


@pytest.fixture
def no_gc() -> Iterator[None]:
    """The garbage collector may not do the clean-up that the code under test owes."""
    gc.disable()
    yield
    gc.enable()


def responds(*parts: bytes, status: int = 200) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    return app


async def read_all(exchange: Exchange) -> list[bytes]:
    return [chunk async for chunk in exchange]


async def finish(exchange: Exchange) -> None:
    await exchange.head()
    await read_all(exchange)


# Streaming.


async def test_head_and_chunks_arrive_while_the_app_is_still_at_work() -> None:
    gate = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 207, "headers": [(b"x-a", b"1")]})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await gate.wait()
        await send({"type": "http.response.body", "body": b"last"})

    async with Exchange(app, HttpRequest()) as exchange:
        head = await exchange.head()
        assert (head.status, head.headers) == (207, ((b"x-a", b"1"),))
        assert await anext(exchange) == b"first"
        assert not exchange.complete
        gate.set()
        assert await read_all(exchange) == [b"last"]
        assert exchange.complete


async def test_the_request_body_is_pulled_only_as_far_as_the_app_reads() -> None:
    pulled: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        for chunk in (b"a", b"b", b"c"):
            pulled.append(chunk)
            yield chunk

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await responds(b"enough")(scope, receive, send)

    async with Exchange(app, HttpRequest("POST", body=body())) as exchange:
        assert await read_all(exchange) == [b"enough"]
    assert pulled == [b"a"]


@pytest.mark.usefixtures("no_gc")
async def test_a_request_body_that_is_not_read_to_its_end_is_closed_with_the_exchange() -> None:
    closed: list[str] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            await asyncio.get_running_loop().create_future()
        finally:
            closed.append("body")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    for reads in (2, 50):
        async with Exchange(app, HttpRequest("POST", body=body())):
            for _ in range(reads):
                await asyncio.sleep(0)
    assert closed == ["body"] * 2
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_body_in_pieces_ends_with_an_empty_last_piece() -> None:
    got: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            got.append(await receive())
            if not got[-1]["more_body"]:
                return await responds()(scope, receive, send)

    async with Exchange(app, HttpRequest("POST", body=b"abcde"), BridgeOptions(request_chunk=2)) as exchange:
        await read_all(exchange)
    assert [(m["body"], m["more_body"]) for m in got] == [
        (b"ab", True),
        (b"cd", True),
        (b"e", True),
        (b"", False),
    ]


@BOTH_STYLES
async def test_an_unfinished_request_body_keeps_the_app_waiting_until_the_client_leaves(asgi: Style) -> None:
    got: list[Message] = []
    waiting = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.append(await receive())
        waiting.set()
        got.append(await receive())

    async with Exchange(
        app, HttpRequest("POST", body=half_open(b"half")), BridgeOptions(asgi=asgi)
    ) as exchange:
        await waiting.wait()
        exchange.disconnect()
        with pytest.raises(ClientGone):
            await exchange.head()
    assert [message["type"] for message in got] == ["http.request", "http.disconnect"]


async def test_a_receive_that_is_cancelled_loses_no_chunk() -> None:
    go = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        await go.wait()
        yield b"kept"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(0):
            await receive()
        go.set()
        message = await receive()
        await responds(message["body"])(scope, receive, send)

    async with Exchange(app, HttpRequest("POST", body=body())) as exchange:
        assert await read_all(exchange) == [b"kept"]


async def test_two_receives_at_once_share_the_body_and_both_learn_of_the_disconnect() -> None:
    got: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def listen() -> None:
            while (message := await receive())["type"] != "http.disconnect":
                got.append(message["body"].decode())
            got.append("gone")

        await asyncio.gather(listen(), listen())

    async with Exchange(app, HttpRequest("POST", body=b"body")) as exchange:
        for _ in range(50):
            await asyncio.sleep(0)
        exchange.disconnect()
    assert got == ["body", "", "gone", "gone"]
    assert exchange.app_error is None


async def test_an_error_in_the_callers_body_reaches_the_caller_and_disconnects_the_app() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        raise KeyError("no more")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"

    async with Exchange(app, HttpRequest("POST", body=body())) as exchange:
        with pytest.raises(KeyError):
            await exchange.head()
    assert exchange.app_error is None


async def test_a_head_request_gets_no_body() -> None:
    async with Exchange(responds(b"body"), HttpRequest("HEAD")) as exchange:
        assert await read_all(exchange) == []


# Backpressure.


@pytest.mark.parametrize(("window", "ahead"), [(0, 1), (1, 2), (3, 4)])
async def test_send_waits_when_more_than_the_window_is_unread(window: int, ahead: int) -> None:
    sent: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        for number in range(10):
            sent.append(number)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body"})

    async with Exchange(app, HttpRequest(), BridgeOptions(window=window)) as exchange:
        for read in range(5):
            for _ in range(50):
                await asyncio.sleep(0)
            assert len(sent) == read + ahead
            await anext(exchange)
        assert len(await read_all(exchange)) == 5


async def test_an_endless_stream_nobody_reads_is_stopped_by_the_default_window() -> None:
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        while True:
            await send({"type": "http.response.body", "body": bytes(1024), "more_body": True})
            sent += 1

    async with Exchange(app, HttpRequest()) as exchange:
        await exchange.head()
        for _ in range(1000):
            await asyncio.sleep(0)
        assert sent == 64
    assert isinstance(exchange.app_error, OSError)


async def test_send_and_receive_always_give_up_the_loop() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for _ in range(100):
            before = ticks
            await receive()
            await send({"type": "http.response.body"})
            assert ticks >= before + 2

    options = BridgeOptions(asgi="2.3")
    async with Exchange(app, HttpRequest(), options) as exchange:
        ticker = asyncio.create_task(tick())
        await asyncio.sleep(0)
        exchange.disconnect()
        await exchange.aclose()
        ticker.cancel()
    assert exchange.app_error is None


# Disconnects.


async def test_after_a_disconnect_send_is_silent_in_the_old_style_and_raises_in_the_new_one() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200})

    errors: dict[str, BaseException | None] = {}
    styles: tuple[Style, Style] = ("2.3", "2.4")
    for asgi in styles:
        async with Exchange(app, HttpRequest(), BridgeOptions(asgi=asgi)) as exchange:
            exchange.disconnect()
        errors[asgi] = exchange.app_error
    assert errors["2.3"] is None
    assert isinstance(errors["2.4"], OSError)


@BOTH_STYLES
async def test_drop_after_leaves_when_that_many_chunks_were_read(asgi: Style) -> None:
    options = BridgeOptions(asgi=asgi, window=0, drop_after=2)
    async with Exchange(responds(b"1", b"2", b"3", b"4"), HttpRequest(), options) as exchange:
        assert await read_all(exchange) == [b"1", b"2"]
    accepted = [chunk.data for chunk in exchange.transcript.of(ResponseChunk)]
    assert accepted == [b"1", b"2"]
    assert [record.reason for record in exchange.transcript.of(Disconnected)] == ["drop_after=2"]


async def test_a_send_that_waits_for_a_reader_who_leaves_fails_in_the_new_style() -> None:
    outcome: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        try:
            await send({"type": "http.response.body", "body": b"lost"})
        except OSError:
            outcome.append("lost")

    async with Exchange(app, HttpRequest(), BridgeOptions(window=0)) as exchange:
        await exchange.head()
    assert outcome == ["lost"]


def streaming(kind: str, closed: list[str]) -> Starlette:
    """The endpoint every channel starts from: a generator in a StreamingResponse, closed well or not at all."""

    async def tokens() -> AsyncIterator[bytes]:
        try:
            for number in range(1000):
                yield b"data: %d\n\n" % number
        finally:
            closed.append("generator")

    class ClosingResponse(StreamingResponse):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async with aclosing(self.body_iterator):  # type: ignore[type-var]  # always a generator here
                await super().__call__(scope, receive, send)

    async def endpoint(request: Request) -> StreamingResponse:
        response = StreamingResponse if kind == "naive" else ClosingResponse
        return response(tokens(), media_type="text/event-stream")

    return Starlette(routes=[Route("/", endpoint)])


OPTIONS = pytest.mark.parametrize(
    "options",
    [
        BridgeOptions(asgi="2.3", window=0),
        BridgeOptions(asgi="2.4", window=0),
        BridgeOptions(asgi="2.3", window=0, grace=0),
    ],
    ids=["message", "oserror", "cancelled"],
)


@OPTIONS
@pytest.mark.parametrize("kind", ["naive", "closing"])
@pytest.mark.usefixtures("no_gc")
async def test_a_reader_who_leaves_tells_a_generator_that_is_closed_from_one_that_is_left_open(
    kind: str, options: BridgeOptions
) -> None:
    closed: list[str] = []
    app = streaming(kind, closed)
    async with Exchange(app, HttpRequest(), options) as exchange:
        for _ in range(3):
            await anext(exchange)
    assert closed == ([] if kind == "naive" else ["generator"])


@BOTH_STYLES
@virtual_time
async def test_an_app_that_ignores_the_disconnect_is_cancelled_when_its_grace_is_over(asgi: Style) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.get_running_loop().create_future()

    options = BridgeOptions(asgi=asgi, grace=3.0)
    async with Exchange(app, HttpRequest(), options) as exchange:
        await asyncio.sleep(1)
    (killed,) = exchange.transcript.of(AppKilled)
    assert (killed.at, killed.grace) == (4.0, 3.0)
    assert isinstance(exchange.app_error, asyncio.CancelledError)


@virtual_time
async def test_an_app_may_use_its_grace_to_finish() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()
        await asyncio.sleep(2.5)

    async with Exchange(app, HttpRequest(), BridgeOptions(grace=3.0)) as exchange:
        await asyncio.sleep(1)
    assert exchange.transcript.of(AppEnded) == [AppEnded(3.5)]
    assert exchange.transcript.of(AppKilled) == []


async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.get_running_loop().create_future()


@pytest.mark.usefixtures("no_gc")
@virtual_time
async def test_cancelling_the_reader_ends_the_app_before_the_reader_has_ended() -> None:
    exchange = Exchange(hangs, HttpRequest())

    async def read() -> None:
        async with exchange:
            await exchange.head()

    reader = asyncio.create_task(read())
    await asyncio.sleep(1)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert exchange.app_error is not None
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual_time
async def test_a_cancel_scope_around_the_reader_does_not_tear_the_clean_up_of_the_app() -> None:
    cleaned: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()
        await asyncio.sleep(0.5)
        cleaned.append("orderly")

    with anyio.move_on_after(1):
        async with Exchange(app, HttpRequest()) as exchange:
            await exchange.head()
    assert cleaned == ["orderly"]


@virtual_time
async def test_a_second_cancellation_cancels_the_app_at_once() -> None:
    exchange = Exchange(hangs, HttpRequest(), BridgeOptions(grace=None))

    async def read() -> None:
        async with exchange:
            await exchange.head()

    reader = asyncio.create_task(read())
    for _ in range(2):
        await asyncio.sleep(1)
        reader.cancel()
    await asyncio.wait({reader})
    assert isinstance(exchange.app_error, asyncio.CancelledError)


# Errors of the app.


async def test_an_error_before_the_head_is_raised_by_head() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("early")

    async with Exchange(app, HttpRequest()) as exchange:
        with pytest.raises(KeyError, match="early"):
            await exchange.head()


async def test_an_error_after_the_head_is_raised_where_the_body_ends() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        raise KeyError("late")

    async with Exchange(app, HttpRequest()) as exchange:
        await exchange.head()
        assert await anext(exchange) == b"part"
        with pytest.raises(KeyError, match="late"):
            await anext(exchange)
    (failed,) = exchange.transcript.of(AppFailed)
    assert failed.error is exchange.app_error


async def test_an_error_after_the_last_chunk_is_raised_too() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await responds(b"all")(scope, receive, send)
        await asyncio.sleep(0)
        raise KeyError("background")

    async with Exchange(app, HttpRequest()) as exchange:
        assert await anext(exchange) == b"all"
        with pytest.raises(KeyError, match="background"):
            await anext(exchange)


async def test_without_await_app_the_body_ends_with_its_last_chunk_and_close_raises_the_late_error() -> None:
    gate = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await responds(b"ack")(scope, receive, send)
        await gate.wait()
        raise KeyError("background")

    exchange = Exchange(app, HttpRequest(), BridgeOptions(await_app=False))
    exchange.start()
    assert await read_all(exchange) == [b"ack"]
    await exchange.leave()
    assert exchange.app_error is None
    gate.set()
    with pytest.raises(KeyError, match="background"):
        await exchange.aclose()


async def test_an_error_after_the_client_has_left_is_kept_and_not_raised() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        raise KeyError("nobody there")

    async with Exchange(app, HttpRequest()) as exchange:
        exchange.disconnect()
    assert isinstance(exchange.app_error, KeyError)


async def test_errors_can_be_hidden_as_a_server_hides_them() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("secret")

    async with Exchange(app, HttpRequest(), BridgeOptions(raise_app_errors=False)) as exchange:
        assert (await exchange.head()).status == 500
        assert await read_all(exchange) == [b"Internal Server Error"]
    assert isinstance(exchange.app_error, KeyError)


START: Message = {"type": "http.response.start", "status": 200}
BODY: Message = {"type": "http.response.body", "body": b"x", "more_body": True}
LAST: Message = {"type": "http.response.body", "body": b"x"}


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], "without http.response.start"),
        ([BODY], "before http.response.start"),
        ([START, START], "second http.response.start"),
        ([START, BODY], "inside its response"),
        ([START, LAST, LAST], "after the last one"),
        ([{"type": "http.response.push"}], "http.response.push"),
        ([{**START, "headers": [(b"x-a", b"1\r\nset-cookie: b")]}], "line break"),
        ([{**START, "headers": [("x-a", "1")]}], "expected bytes"),
        ([{**START, "headers": [(b"content-length", b"1")]}, BODY, LAST], "content-length 1"),
        ([{**START, "headers": [(b"content-length", b"5")]}, LAST], "content-length 5"),
    ],
)
async def test_an_app_that_breaks_the_protocol_is_told_what_it_did(
    messages: list[Message], text: str
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async with Exchange(app, HttpRequest()) as exchange:
        with pytest.raises(ASGIViolation, match=text):
            await finish(exchange)


# Scope and transcript.

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="unset")


async def test_the_scope_holds_what_the_test_says_and_nothing_of_the_test_leaks_into_the_app() -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope, variable=VARIABLE.get())
        await responds()(scope, receive, send)

    VARIABLE.set("of the test")
    options = BridgeOptions(
        asgi="2.3",
        client=("203.0.113.9", 4),
        server=("bots.example", 443),
        scheme="https",
        http_version="2",
        root_path="/api",
        state={"key": "value"},
    )
    request = HttpRequest("PUT", "/a%20b/%2e%2e?q=%C3%A4", ((b"Host", b"bots.example"),))
    async with Exchange(app, request, options) as exchange:
        await read_all(exchange)
    assert seen == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": "PUT",
        "scheme": "https",
        "http_version": "2",
        "path": "/api/a b/..",
        "raw_path": b"/api/a%20b/%2e%2e",
        "query_string": b"q=%C3%A4",
        "root_path": "/api",
        "headers": [(b"host", b"bots.example")],
        "client": ("203.0.113.9", 4),
        "server": ("bots.example", 443),
        "extensions": {},
        "state": {"key": "value"},
        "variable": "unset",
    }


@virtual_time
async def test_the_transcript_holds_everything_in_order_with_the_time_of_the_loop() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(2)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"out", "more_body": True})
        await asyncio.sleep(3)
        raise KeyError("late")

    async with Exchange(app, HttpRequest("POST", "/x", body=b"in")) as exchange:
        with pytest.raises(KeyError) as failed:
            await read_all(exchange)
    assert list(exchange.transcript) == [
        RequestLine(0, "POST", "/x", "1.1", ()),
        RequestChunk(0, b"in", last=False),
        ResponseHead(2, 200, ((b"a", b"b"),)),
        ResponseChunk(2, b"out", last=False),
        AppFailed(5, failed.value),
        Disconnected(5, "reader closed"),
    ]
