"""`InMemoryHost`: a whole host without a socket, for the tests of channel authors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from hosting import (
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    ChannelSession,
    HostLimits,
    InMemoryHostStateStore,
)
from hosting.web import LOCAL_CALLER
from hosting_testkit import InMemoryHost, run_virtual, virtual_time
from hosting_testkit.conformance.reference import RpcChannel
from hosting_testkit.targets import Counting, Echo, Gate


class MyChannel:
    """The smallest channel, with one address for each thing that the host in memory can do."""

    name, path = "my", "/my"

    def __init__(self) -> None:
        self.lifecycle: list[str] = []

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.context = context
        return ChannelContribution(
            routes=[
                Route("/", self.ask, methods=["POST"]),
                Route("/peer", self.peer),
                Route("/slow", self.slow),
                WebSocketRoute("/ws", self.socket),
            ],
            on_startup=[self.note("start")],
            on_shutdown=[self.note("stop")],
        )

    def note(self, what: str) -> Any:
        async def note() -> None:
            self.lifecycle.append(what)

        return note

    async def ask(self, request: Request) -> JSONResponse:
        text = (await request.json())["text"]
        turn = ChannelRequest(channel="my", input=text, caller=LOCAL_CALLER, session=ChannelSession(key="s"))
        return JSONResponse({"text": (await self.context.run(turn)).text})

    async def peer(self, request: Request) -> JSONResponse:
        assert request.client is not None
        now = self.context.time_source.monotonic()
        return JSONResponse({"client": request.client.host, "host": request.headers["host"], "now": now})

    async def slow(self, request: Request) -> StreamingResponse:
        async def frames() -> AsyncIterator[bytes]:
            for number in range(1000):
                yield b"%d\n" % number

        return StreamingResponse(frames())

    async def socket(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(f"{socket.headers['host']} {await socket.receive_text()}")
        await socket.close()


async def test_a_channel_test_takes_six_lines() -> None:
    async with InMemoryHost(Echo(), [MyChannel()]) as host:
        reply = await host.post("/my", json={"text": "hello"})
        assert reply.json() == {"text": "hello"}


async def test_the_lifespan_runs_around_the_block() -> None:
    channel = MyChannel()
    async with InMemoryHost(Echo(), [channel]):
        assert channel.lifecycle == ["start"]
    assert channel.lifecycle == ["start", "stop"]


async def test_requests_come_from_loopback_so_the_default_authentication_lets_them_in() -> None:
    async with InMemoryHost(Echo(), [MyChannel(), RpcChannel()]) as host:
        peer = (await host.get("/my/peer")).json()
        assert (peer["client"], peer["host"]) == ("127.0.0.1", "127.0.0.1:8000")
        assert (await host.post("/rpc", json={"input": "hi"})).json()["items"] == ["hi"]


async def test_a_response_is_read_as_it_comes_and_leaving_disconnects() -> None:
    async with InMemoryHost(Echo(), [MyChannel()]) as host, host.stream("GET", "/my/slow") as response:
        assert await anext(response.aiter_lines()) == "0"
        assert not response.extensions["exchange"].complete


async def test_a_websocket_sees_the_same_address() -> None:
    async with InMemoryHost(Echo(), [MyChannel()]) as host, host.ws("/my/ws") as socket:
        await socket.send_text("hello")
        assert await socket.receive_text() == "127.0.0.1:8000 hello"


async def test_state_outlives_a_restart_and_the_channels_are_made_anew() -> None:
    made: list[MyChannel] = []

    def channels() -> list[MyChannel]:
        made.append(MyChannel())
        return made[-1:]

    async with InMemoryHost(Counting(), channels) as host:
        assert (await host.post("/my", json={"text": "one"})).json()["text"] == "turn 1"
        await host.restart()
        assert (await host.post("/my", json={"text": "two"})).json()["text"] == "turn 2"
    assert [channel.lifecycle for channel in made] == [["start", "stop"]] * 2


@virtual_time
async def test_a_shutdown_leaves_connections_open_until_the_drain_is_over() -> None:
    gate = Gate()
    async with InMemoryHost(gate, [RpcChannel(auth=None)], limits=HostLimits(drain_timeout=30)) as host:
        asking = asyncio.create_task(host.post("/rpc", json={"input": "a"}))
        await gate.reached("a")
        stopping = asyncio.create_task(host.shutdown())
        await asyncio.sleep(1)
        assert (await host.get("/readiness")).status_code == 503
        gate.release("a")
        assert (await asking).json()["items"] == ["a"]
        await stopping


async def test_two_hosts_share_nothing() -> None:
    for _ in range(2):
        async with InMemoryHost(Counting(), [MyChannel()]) as host:
            assert (await host.post("/my", json={"text": "one"})).json()["text"] == "turn 1"


async def test_a_store_that_is_given_is_closed_by_the_host() -> None:
    store = InMemoryHostStateStore()
    async with InMemoryHost(Echo(), [MyChannel()], state=store) as host:
        assert host.host.limits.stream_buffer == 64
    with pytest.raises(Exception, match="not open"):
        await store.execute()


async def test_an_error_of_the_app_is_an_answer_with_an_id_and_nothing_else() -> None:
    async with InMemoryHost(Echo(), [MyChannel()]) as host:
        reply = await host.post("/my", content=b"{", headers={"content-type": "application/json"})
        assert reply.status_code == 500
        assert "JSONDecodeError" not in reply.text


async def test_after_the_block_the_host_is_gone() -> None:
    async with InMemoryHost(Echo(), [MyChannel()]) as host:
        client = host.client
    with pytest.raises(RuntimeError, match="closed"):
        await client.get("/my/peer")
    assert isinstance(client, httpx.AsyncClient)


def test_in_a_virtual_loop_the_host_takes_its_time_from_the_loop() -> None:
    import asyncio

    async def main() -> tuple[float, float]:
        async with InMemoryHost(Echo(), [MyChannel()]) as host:
            before = (await host.get("/my/peer")).json()["now"]
            await asyncio.sleep(3600)
            return before, (await host.get("/my/peer")).json()["now"]

    before, after = run_virtual(main)
    assert after - before == pytest.approx(3600)
