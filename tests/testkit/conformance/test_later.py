"""What rules about background runs are made of: runs asked for later, and hosts that share rows."""

from __future__ import annotations

import asyncio

import pytest

from hosting.state import StateUnavailable
from hosting.state.tables import instances
from hosting_testkit import virtual_time
from hosting_testkit.cli.doctor import examine
from hosting_testkit.conformance.kit import Kit
from hosting_testkit.conformance.later import ask_for_later, begins, standing_of
from hosting_testkit.conformance.reference import BackgroundRpcDriver, RpcDriver
from hosting_testkit.conformance.shared_rows import replica_of, two_lines
from hosting_testkit.drivers import SUPPORTED
from hosting_testkit.targets import Echo, Gate


@virtual_time
async def test_a_run_that_never_ends_is_waited_for_two_minutes() -> None:
    kit, target = Kit(BackgroundRpcDriver, "http"), Gate()
    async with kit.host(target) as h:
        run = await ask_for_later(h, "held")
        assert await begins(target.gates, "held")
        assert not await begins(target.gates, "nobody")
        before = asyncio.get_running_loop().time()
        assert standing_of(h, await run.ended()) == "running"
        assert asyncio.get_running_loop().time() - before > 120
    await kit.aclose()


@virtual_time
async def test_a_refused_question_is_no_standing() -> None:
    kit = Kit(BackgroundRpcDriver, "http")
    async with kit.host(Echo()) as h:
        run = await ask_for_later(h, "hello")
        assert await run.standing() == "completed"
        assert (await run.events()).text == "hello"
        assert await run.by("bob").standing() == await run.called("nothing").standing() == "refused with 404"
    await kit.aclose()


@virtual_time
async def test_two_hosts_share_rows_and_know_the_same_people() -> None:
    kit = Kit(BackgroundRpcDriver, "http")
    async with two_lines() as (one, other), kit.host(Echo(), state=one) as home:
        run = await ask_for_later(home, "hello")
        async with kit.host(Echo(), state=other, make=replica_of(home)) as away:
            assert (await run.at(away).ended()).text == "hello"
    await kit.aclose()


@virtual_time
async def test_nothing_goes_over_a_broken_line_and_the_other_one_is_whole() -> None:
    question = instances.load_alive("nobody", now_ms=0)
    async with two_lines() as (one, other):
        with one.broken():
            with pytest.raises(StateUnavailable):
                await one.execute(question)
            assert await other.execute(question) == [[]]
        assert await one.execute(question) == [[]]


def test_the_doctor_names_the_hooks_that_background_runs_need() -> None:
    class Claims(RpcDriver):
        capabilities = RpcDriver.capabilities.but(background=SUPPORTED, resume=SUPPORTED)

    assert list(examine(Claims())) == [
        "background is supported and token, retrieve, standing, withdraw is not written",
        "resume is supported and token, resume is not written",
    ]
    assert list(examine(BackgroundRpcDriver())) == []
