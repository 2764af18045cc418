"""What rules let happen to calls of a channel to its platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hosting_testkit import virtual_time
from hosting_testkit.drivers import Env, PlatformAnswer
from hosting_testkit.drivers.trouble import (
    AnswerAltered,
    AnswerLate,
    AnswerLost,
    AnswerSpoilt,
    Struck,
    Trouble,
    Unreachable,
)

taken: list[str] = []


async def _take(request: Request) -> PlainTextResponse:
    taken.append((await request.body()).decode())
    return PlainTextResponse("taken")


@asynccontextmanager
async def surroundings() -> AsyncGenerator[tuple[Env, httpx.AsyncClient]]:
    taken.clear()
    app = Starlette(routes=[Route("/send", _take, methods=["POST"])])
    env = Env(name="x", path="/x", platform=app)
    client = env.outbound("https://platform.example")
    assert client is not None
    async with client:
        yield env, client


@virtual_time
async def test_an_answer_of_the_platform_is_a_call_without_effect() -> None:
    async with surroundings() as (env, client):
        env.troubles.plan("one", PlatformAnswer(status=429, headers={"retry-after": "3"}, body=b"busy"))
        refused = await client.post("/send", content="this is one")
        assert (refused.status_code, refused.headers["retry-after"], refused.text) == (429, "3", "busy")
        assert (await client.post("/send", content="another")).text == "taken"
        assert taken == ["another"]
        assert [call.status for call in env.calls] == [429, 200]


@virtual_time
async def test_troubles_come_one_after_the_other_until_there_are_no_more() -> None:
    async with surroundings() as (env, client):
        env.troubles.plan("one", [Unreachable(), AnswerSpoilt(502)])
        with pytest.raises(httpx.ConnectError):
            await client.post("/send", content="one")
        await asyncio.sleep(2.0)
        assert (await client.post("/send", content="one")).status_code == 502
        assert (await client.post("/send", content="one")).text == "taken"
        assert taken == ["one", "one"]
        began, later = env.troubles.met["one"]
        assert later - began == 2.0


@virtual_time
async def test_a_trouble_for_good_ends_when_it_is_over() -> None:
    async with surroundings() as (env, client):
        env.troubles.plan("/send", Unreachable())
        for _ in range(3):
            with pytest.raises(httpx.ConnectError):
                await client.post("/send", content="by its path")
        assert len(env.troubles.over("/send")) == 3
        assert (await client.post("/send", content="by its path")).text == "taken"


@pytest.mark.parametrize("arrives", [True, False])
@virtual_time
async def test_an_answer_that_is_lost_tells_nothing_of_its_effect(arrives: bool) -> None:
    troubles: list[Trouble] = [AnswerLost("reset", arrives=arrives), AnswerLost("timeout", arrives=arrives)]
    async with surroundings() as (env, client):
        env.troubles.plan("one", troubles)
        with pytest.raises(httpx.ReadError):
            await client.post("/send", content="one")
        began = asyncio.get_running_loop().time()
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/send", content="one", timeout=9.0)
        assert asyncio.get_running_loop().time() - began == 9.0
        assert taken == ["one", "one"] * arrives
        env.troubles.plan("one", [AnswerLost("closed", arrives=arrives)])
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/send", content="one")
        assert taken == ["one", "one", "one"] * arrives
        assert len(env.calls) == len(taken)


@virtual_time
async def test_an_answer_that_is_late_comes_after_the_effect() -> None:
    async with surroundings() as (env, client):
        env.troubles.plan("one", [AnswerLate(2.0), AnswerLate(2.0)])
        sending = asyncio.create_task(client.post("/send", content="one"))
        await asyncio.sleep(1.0)
        assert (taken, sending.done()) == (["one"], False)
        assert (await sending).text == "taken"
        assert asyncio.get_running_loop().time() >= env.troubles.met["one"][0] + 2.0
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/send", content="one", timeout=1.0)
        assert taken == ["one", "one"]


@virtual_time
async def test_who_waits_for_ever_sees_the_connection_break() -> None:
    async with surroundings() as (env, client):
        env.troubles.plan("one", AnswerLost("timeout"))
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/send", content="one", timeout=None)


@pytest.mark.parametrize("arrives", [True, False])
@virtual_time
async def test_something_happens_at_the_moment_of_a_call(arrives: bool) -> None:
    happened: list[list[str]] = []
    async with surroundings() as (env, client):
        env.troubles.plan("one", Struck(lambda: happened.append(list(taken)), arrives=arrives))
        with pytest.raises(httpx.ReadError):
            await client.post("/send", content="one")
    assert happened == [["one"] if arrives else []]


@virtual_time
async def test_a_connection_that_does_not_come_about_takes_no_effect() -> None:
    async with surroundings() as (env, client):
        env.troubles.plan("one", [Unreachable(), Unreachable("timeout")])
        with pytest.raises(httpx.ConnectError):
            await client.post("/send", content="one")
        with pytest.raises(httpx.ConnectTimeout):
            await client.post("/send", content="one")
    assert taken == []


@virtual_time
async def test_a_client_of_the_channels_own_reaches_the_platform_where_it_is_and_nothing_else() -> None:
    taken.clear()
    app = Starlette(routes=[Route("/send", _take, methods=["POST"])])
    env = Env(name="x", path="/x", platform=app, gives_client=False)
    assert env.outbound("https://platform.example") is None
    with env.internet():
        async with httpx.AsyncClient() as own:
            assert (await own.post("https://platform.example/send", content="one")).text == "taken"
            with pytest.raises(httpx.ConnectError):
                await own.post("https://elsewhere.example/send", content="two")
    assert taken == ["one"]
    assert [call.body for call in env.calls] == [b"one"]


@virtual_time
async def test_an_answer_that_is_altered_holds_something_else() -> None:
    async with surroundings() as (env, client):
        env.troubles.plan("one", AnswerAltered("ken", r"l\ud83d"))
        assert (await client.post("/send", content="one")).content == rb"tal\ud83d"
        assert taken == ["one"]
