"""Two hosts on PostgreSQL: what they share and how they wait for each other (contract 6.7, 12.2, 15.1; decisions S3, S4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg
import pytest

from hosting import ChannelRequest, ChannelSession, HostedRunResult, HostLimits, PostgresHostStateStore
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Counting, Gate, Scripted, steps
from tests.host.test_background import ANN, Later
from tests.state import postgres_server


@pytest.fixture
def schema() -> Iterator[str]:
    with postgres_server.own_schema() as schema:
        yield schema


@asynccontextmanager
async def pair(
    target: Any, channel: Callable[[], Any], schema: str, **limits: Any
) -> AsyncIterator[list[InMemoryHost]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                InMemoryHost(
                    target,
                    [channel()],
                    state=PostgresHostStateStore(postgres_server.URL, schema=schema),
                    limits=HostLimits(**limits),
                )
            )
            for _ in range(2)
        ]


async def say(host: InMemoryHost, text: str, key: str = "s") -> HostedRunResult[Any]:
    session = ChannelSession("me", key=key)
    return await host.host.run(ChannelRequest(channel="later", input=text, session=session))


async def test_a_session_goes_on_at_either_host(schema: str) -> None:
    async with pair(Counting(), Later, schema) as (one, two):
        answers = [(await say(host, "x")).text for host in (one, two, two, one)]
    assert answers == ["turn 1", "turn 2", "turn 3", "turn 4"]


async def test_turns_of_a_session_wait_for_each_other_over_both_hosts(schema: str) -> None:
    gate = Gate()
    async with pair(gate, Later, schema) as (one, two), asyncio.TaskGroup() as group:
        first = group.create_task(say(one, "first"))
        await gate.reached("first")
        second = group.create_task(say(two, "second"))
        with pytest.raises(AssertionError):
            await gate.reached("second", timeout=0.5)
        gate.release("first")
        assert (await first).text == "first"
        await gate.reached("second")
        gate.release("second")
        assert (await second).text == "second"


async def test_many_turns_of_one_session_at_both_hosts_are_all_kept_in_one_line(schema: str) -> None:
    async with pair(Counting(), Later, schema, session_queue=100) as hosts:
        turns = [say(hosts[number % 2], "x") for number in range(40)]
        answers = [result.text for result in await asyncio.gather(*turns)]
    assert {*answers} == {f"turn {number}" for number in range(1, 41)}


async def test_a_turn_that_waited_on_the_end_of_another_sees_what_that_one_saved(schema: str) -> None:
    async with pair(Counting(), Later, schema) as (one, _):
        assert (await say(one, "x")).text == "turn 1"
        holding, turn_ends = _turn_of_the_other_host(schema)
        postgres_server.run(holding)
        async with await psycopg.AsyncConnection.connect(postgres_server.URL) as other:
            await other.execute(turn_ends.encode())
            turn = asyncio.create_task(say(one, "x"))
            await _waits_for_a_row_lock(schema)
            await other.commit()
        assert (await turn).text == "turn 2"


def _turn_of_the_other_host(schema: str) -> tuple[str, str]:
    """SQL by which a living host holds the session, and by which its turn ends."""
    own_lock = f"""INSERT INTO {schema}.session_locks (isolation_key, key, holder, owner)
        SELECT s.isolation_key, s.key, 'other', i.id FROM {schema}.sessions s, {schema}.instances i LIMIT 1"""
    end = f"UPDATE {schema}.sessions SET fence = fence + 1; DELETE FROM {schema}.session_locks"
    return own_lock, end


async def _waits_for_a_row_lock(schema: str) -> None:
    query = f"SELECT 1 FROM pg_stat_activity WHERE query LIKE '%{schema}.%' AND wait_event_type = 'Lock'"
    while not postgres_server.run(query):
        await asyncio.sleep(0.01)


async def test_interrupt_reaches_the_other_host(schema: str) -> None:
    gate = Gate()
    async with pair(gate, Later, schema, turn_policy="interrupt") as (one, two):
        first = asyncio.create_task(say(one, "first"))
        await gate.reached("first")
        second = asyncio.create_task(say(two, "second"))
        assert (await first).status == "cancelled"
        await gate.reached("second")
        gate.release("second")
        assert (await second).text == "second"


async def test_a_background_run_is_read_and_cancelled_from_the_other_host(schema: str) -> None:
    target = Scripted("one ", steps.Stop("middle"), "two")
    made: list[Later] = []

    def channel() -> Later:
        made.append(Later())
        return made[-1]

    async with pair(target, channel, schema):
        token = (await made[0].begin("x")).token
        await target.gates.reached("middle")
        entries = await made[1].context.events(token, caller=ANN)
        assert [update.text for update in (await anext(entries)).updates] == ["one "]
        await entries.aclose()
        for channel_ in made:
            ended = await channel_.context.cancel_run(token, caller=ANN)
            assert ended.status == "cancelled"
