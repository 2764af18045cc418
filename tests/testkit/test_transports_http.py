"""httpx and httpx2 clients, and the official openai client on top, stream through the bridge."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import httpx2
import pytest
from openai import AsyncOpenAI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hosting_testkit.clock import virtual_time
from hosting_testkit.streams.sse import sse_events
from hosting_testkit.transports.asgi import ASGIApp, BridgeOptions
from hosting_testkit.transports.bridge import Exchange
from hosting_testkit.transports.http import StreamingASGITransport
from hosting_testkit.transports.httpx2_face import StreamingASGITransport2

FACES = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


@pytest.fixture
def no_gc() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def client(library: Any, app: ASGIApp, options: BridgeOptions | None = None) -> Any:
    face = StreamingASGITransport if library is httpx else StreamingASGITransport2
    return library.AsyncClient(transport=face(app, options), base_url="http://bots.example:8080")


async def echo(request: Request) -> JSONResponse:
    return JSONResponse(
        {
            "method": request.method,
            "url": str(request.url),
            "header": request.headers.get("x-key"),
            "host": request.headers["host"],
            "client": request.client.host if request.client else None,
            "body": (await request.body()).decode(),
        },
        status_code=201,
    )


ECHO = Starlette(routes=[Route("/a/{rest:path}", echo, methods=["POST"])])


@FACES
async def test_a_request_arrives_as_it_was_sent(library: Any) -> None:
    options = BridgeOptions(client=("203.0.113.9", 4))
    async with client(library, ECHO, options) as http:
        response = await http.post("/a/b%20c?q=1", content=b"body", headers={"x-key": "v", "host": "other"})
    assert response.status_code == 201
    assert response.json() == {
        "method": "POST",
        "url": "http://other/a/b c?q=1",
        "header": "v",
        "host": "other",
        "client": "203.0.113.9",
        "body": "body",
    }


@FACES
@pytest.mark.parametrize("buffered", [False, True], ids=["bridge", "the library's own transport"])
@virtual_time
async def test_headers_arrive_before_the_last_event(library: Any, buffered: bool) -> None:
    """The library's own transport is the wrong behaviour that this test must be able to see."""

    async def ticks() -> AsyncIterator[str]:
        for number in range(3):
            yield f"data: {number}\n\n"
            await asyncio.sleep(10)

    async def endpoint(request: Request) -> StreamingResponse:
        return StreamingResponse(ticks(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/", endpoint)])
    loop = asyncio.get_running_loop()
    seen: list[tuple[str, float]] = []
    http = library.AsyncClient(transport=library.ASGITransport(app)) if buffered else client(library, app)
    async with http, http.stream("GET", "http://bots.example/") as response:
        seen.append(("head", loop.time()))
        seen += [(event.data, loop.time()) async for event in sse_events(response.aiter_bytes())]
    assert [what for what, _ in seen] == ["head", "0", "1", "2"]
    assert [at for _, at in seen] == ([30, 30, 30, 30] if buffered else [0, 0, 10, 20])


async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.get_running_loop().create_future()


async def floods(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 100, "more_body": True})


@FACES
@pytest.mark.usefixtures("no_gc")
@virtual_time
async def test_cancelling_a_request_ends_its_app_before_the_caller_has_ended(library: Any) -> None:
    for app in (hangs, floods):
        async with client(library, app) as http:
            request = asyncio.create_task(http.get("/"))
            for _ in range(50):
                await asyncio.sleep(0)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert asyncio.all_tasks() == {asyncio.current_task()}


@FACES
@pytest.mark.usefixtures("no_gc")
@virtual_time
async def test_closing_a_response_early_ends_its_app_at_once(library: Any) -> None:
    async with client(library, floods) as http:
        async with http.stream("GET", "/") as response:
            async for _ in response.aiter_raw():
                break
        exchange: Exchange = response.extensions["exchange"]
        assert exchange.disconnected
        assert isinstance(exchange.app_error, OSError)
        assert asyncio.all_tasks() == {asyncio.current_task()}


@FACES
@virtual_time
async def test_closing_the_client_ends_every_app_and_raises_its_late_error(library: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body", "body": b"ack"})
        await asyncio.sleep(0.5)
        raise KeyError("background")

    async def serve() -> None:
        async with client(library, app, BridgeOptions(await_app=False)) as http:
            assert (await http.get("/")).content == b"ack"
            assert len(asyncio.all_tasks()) == 2

    with pytest.raises(KeyError, match="background"):
        await serve()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@FACES
async def test_an_error_of_the_app_reaches_the_caller_or_looks_as_on_a_socket(library: Any) -> None:
    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("early")

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        raise KeyError("late")

    async with client(library, early) as http:
        with pytest.raises(KeyError, match="early"):
            await http.get("/")
    async with client(library, late) as http:
        with pytest.raises(KeyError, match="late"):
            await http.get("/")
    hidden = BridgeOptions(raise_app_errors=False)
    async with client(library, early, hidden) as http:
        assert (await http.get("/")).status_code == 500
    async with client(library, late, hidden) as http:
        with pytest.raises(library.RemoteProtocolError):
            await http.get("/")


@FACES
async def test_one_request_may_bring_its_own_options(library: Any) -> None:
    async with client(library, floods) as http:
        response = await http.get("/", extensions={"bridge": BridgeOptions(drop_after=3)})
        assert len(response.content) == 300
        with pytest.raises(TypeError, match="expected BridgeOptions"):
            await http.get("/", extensions={"bridge": {"drop_after": 3}})


@FACES
async def test_a_disconnect_before_the_head_is_a_read_error(library: Any) -> None:
    async with client(library, hangs) as http:
        request = asyncio.create_task(http.get("/", extensions={"bridge": BridgeOptions(grace=0)}))
        transport = http._transport
        for _ in range(50):
            await asyncio.sleep(0)
        transport.exchanges[0].disconnect()
        with pytest.raises(library.ReadError):
            await request


def response_events() -> list[dict[str, Any]]:
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "agent",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    return [
        {"type": "response.created", "sequence_number": 0, "response": {**response, "status": "in_progress"}},
        {**delta, "sequence_number": 1, "delta": "hel", "logprobs": []},
        {**delta, "sequence_number": 2, "delta": "lo", "logprobs": []},
        {"type": "response.completed", "sequence_number": 3, "response": {**response, "status": "completed"}},
    ]


@virtual_time
async def test_the_official_openai_client_streams_through_the_httpx2_face() -> None:
    async def endpoint(request: Request) -> StreamingResponse:
        assert (await request.json())["stream"] is True

        async def frames() -> AsyncIterator[str]:
            for event in response_events():
                yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
                await asyncio.sleep(1)

        return StreamingResponse(frames(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/responses", endpoint, methods=["POST"])])
    loop = asyncio.get_running_loop()
    http = client(httpx2, app)
    async with AsyncOpenAI(api_key="key", base_url="http://bots.example", http_client=http) as openai:
        stream = await openai.responses.create(model="agent", input="hi", stream=True)
        seen = [(event.type, loop.time()) async for event in stream]
    assert seen == [
        ("response.created", 0),
        ("response.output_text.delta", 1),
        ("response.output_text.delta", 2),
        ("response.completed", 3),
    ]


def test_without_httpx2_the_httpx_face_works_and_the_other_names_the_extra() -> None:
    script = """
import sys
sys.modules["httpx2"] = None
from hosting_testkit.transports import StreamingASGITransport
try:
    from hosting_testkit.transports import StreamingASGITransport2
except ImportError as error:
    assert "hosting[testkit]" in str(error), error
else:
    raise SystemExit("no error")
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
