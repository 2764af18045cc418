"""Each fault as a bot's httpx client meets it: in the client's transport, and in the server's app over the bridge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from hosting_testkit.clock import virtual_time
from hosting_testkit.faults import ConnectionBroken, FaultPlan, FaultRun, FaultTransport, FaultyApp
from hosting_testkit.transports import ASGIApp, StreamingASGITransport

BODY = b'{"ok":true,"id":"m1"}'


class Platform:
    """Counts the calls that took effect."""

    def __init__(self) -> None:
        self.effects = 0

    async def __call__(self, scope, receive, send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.effects += 1
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})


def client_side(app: ASGIApp, plan: FaultPlan) -> httpx.AsyncBaseTransport:
    return FaultTransport(StreamingASGITransport(app), FaultRun(plan))


def server_side(app: ASGIApp, plan: FaultPlan) -> httpx.AsyncBaseTransport:
    """The timeouts of httpx are its transports' business: an empty plan brings them to the bridge."""
    faulty = FaultyApp(app, FaultRun(plan))
    return FaultTransport(StreamingASGITransport(faulty), FaultRun(FaultPlan()))


Side = Callable[[ASGIApp, FaultPlan], httpx.AsyncBaseTransport]
BOTH = pytest.mark.parametrize("side", [client_side, server_side])


class Call:
    """One POST to `/bot/send`, and how long it took."""

    def __init__(self, side: Side, plan: FaultPlan, timeout: float | None = 5.0) -> None:
        self.platform = Platform()
        self.http = httpx.AsyncClient(
            transport=side(self.platform, plan), base_url="https://bots.example", timeout=timeout
        )

    async def __call__(self) -> httpx.Response:
        start = asyncio.get_running_loop().time()
        try:
            return await self.http.post("/bot/send", json={"text": "hi"})
        finally:
            self.took = asyncio.get_running_loop().time() - start

    async def __aenter__(self) -> Call:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()


@BOTH
@virtual_time
async def test_without_a_fault_nothing_changes(side: Side) -> None:
    plan = FaultPlan()
    plan.on("other").always().refuse()
    async with Call(side, plan) as call:
        assert (await call()).content == BODY and call.platform.effects == 1


@BOTH
@virtual_time
async def test_reply_answers_and_does_nothing(side: Side) -> None:
    plan = FaultPlan()
    plan.on("send").nth(2).reply(429, retry_after=3)
    async with Call(side, plan) as call:
        assert (await call()).status_code == 200
        refused = await call()
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
        assert (await call()).status_code == 200
        assert call.platform.effects == 2


@BOTH
@virtual_time
async def test_timeout_lasts_as_long_as_the_clients_patience_and_does_nothing(side: Side) -> None:
    plan = FaultPlan()
    plan.on("send").first().timeout()
    async with Call(side, plan, timeout=7) as call:
        with pytest.raises(httpx.ReadTimeout):
            await call()
        assert 7 <= call.took < 7.01 and call.platform.effects == 0
        assert (await call()).status_code == 200


@BOTH
@virtual_time
async def test_deliver_then_timeout_takes_effect(side: Side) -> None:
    plan = FaultPlan()
    plan.on("send").deliver_then_timeout()
    async with Call(side, plan, timeout=7) as call:
        with pytest.raises(httpx.ReadTimeout):
            await call()
        assert 7 <= call.took < 7.01 and call.platform.effects == 1


@BOTH
@virtual_time
async def test_a_server_may_lose_patience_first(side: Side) -> None:
    plan = FaultPlan()
    plan.on("send").timeout(after=2)
    async with Call(side, plan, timeout=None) as call:
        with pytest.raises(httpx.TransportError):
            await call()
        assert 2 <= call.took < 2.01 and call.platform.effects == 0


@BOTH
@pytest.mark.parametrize(("after_bytes", "takes_effect"), [(0, True), (5, True), (0, False), (5, False)])
@virtual_time
async def test_reset_breaks_the_answer(side: Side, after_bytes: int, takes_effect: bool) -> None:
    plan = FaultPlan()
    plan.on("send").reset(after_bytes=after_bytes, takes_effect=takes_effect)
    async with Call(side, plan) as call:
        with pytest.raises(httpx.ReadError):
            await call()
        assert call.platform.effects == int(takes_effect)


@BOTH
@virtual_time
async def test_reset_lets_so_many_bytes_through(side: Side) -> None:
    plan = FaultPlan()
    plan.on("send").reset(after_bytes=5)
    async with Call(side, plan) as call, call.http.stream("POST", "/bot/send") as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces) == BODY[:5]
        with pytest.raises(httpx.ReadError):
            await anext(pieces)


@virtual_time
async def test_refuse_is_a_connection_that_was_never_made() -> None:
    plan = FaultPlan()
    plan.on("send").refuse()
    async with Call(client_side, plan) as call:
        with pytest.raises(httpx.ConnectError):
            await call()
        assert call.platform.effects == 0


@virtual_time
async def test_a_server_that_is_up_can_only_break_a_connection_that_it_should_refuse() -> None:
    plan = FaultPlan()
    plan.on("send").refuse()
    async with Call(server_side, plan) as call:
        with pytest.raises(ConnectionBroken, match="can only break it"):
            await call()
        assert call.platform.effects == 0


@BOTH
@virtual_time
async def test_slow_comes_whole_at_its_pace(side: Side) -> None:
    plan = FaultPlan()
    plan.on("send").slow(bytes_per_second=7)
    async with Call(side, plan) as call:
        assert (await call()).content == BODY
        assert 3 <= call.took < 3.01


@BOTH
@virtual_time
async def test_delay_is_below_or_above_the_clients_patience(side: Side) -> None:
    plan = FaultPlan()
    plan.on("send").first().delay(4)
    plan.on("send").always().delay(6)
    async with Call(side, plan) as call:
        assert (await call()).status_code == 200 and 4 <= call.took < 4.01
        with pytest.raises(httpx.ReadTimeout):
            await call()


@BOTH
@virtual_time
async def test_malformed_takes_effect_and_answers_something_else(side: Side) -> None:
    plan = FaultPlan()
    plan.on("send").first().malformed()
    plan.on("send").malformed("{", status=502)
    async with Call(side, plan) as call:
        page = await call()
        assert page.status_code == 200 and page.headers["content-type"] == "text/html"
        with pytest.raises(ValueError, match="Expecting value"):
            page.json()
        cut = await call()
        assert (cut.status_code, cut.text, call.platform.effects) == (502, "{", 2)


@virtual_time
async def test_the_transport_holds_the_clients_timeout_over_a_slow_platform() -> None:
    async def slow(scope, receive, send) -> None:
        await asyncio.sleep(10)

    async with httpx.AsyncClient(transport=client_side(slow, FaultPlan()), timeout=5) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get("https://bots.example/")
        assert asyncio.get_running_loop().time() < 10
