"""What `execute` promises of any unit (contract 4.4, 15.1, 15.2)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hosting.errors import HostingError
from hosting.state import (
    HostStateStore,
    InMemoryHostStateStore,
    PostgresHostStateStore,
    SqliteHostStateStore,
    StateConflict,
    Statement,
    StateUnavailable,
    UnknownStatement,
    ping,
)
from hosting.state.tables import aliases, events, history, records, sessions, turns
from tests.state import postgres_server


def put(key: str, value: str = "{}") -> Statement:
    return records.put_record("ns", key, value, now_ms=1)


async def keys(store: HostStateStore) -> list[str]:
    (rows,) = await store.execute(records.scan_records("ns", limit=1_000, now_ms=1))
    return [record.key for record in records.read_records(rows)]


async def test_a_store_is_a_host_state_store_and_answers_a_ping(store: HostStateStore) -> None:
    assert isinstance(store, HostStateStore)
    assert await store.execute(ping()) == [[(1,)]]
    assert store.describe()


async def test_an_empty_unit_does_nothing(store: HostStateStore) -> None:
    assert await store.execute() == []


async def test_rows_come_back_per_statement_in_order_and_see_what_came_before(store: HostStateStore) -> None:
    rows = await store.execute(put("a"), records.get_record("ns", "a", now_ms=1), put("b"))
    assert [len(found) for found in rows] == [0, 1, 0]


async def test_a_missed_expectation_rolls_the_whole_unit_back(store: HostStateStore) -> None:
    with pytest.raises(StateConflict, match=r"turns\.retry: found 0 rows, expected 1") as caught:
        await store.execute(put("before"), turns.retry_turn("nobody", 1), put("after"))
    assert caught.value.statement == "turns.retry"
    assert await keys(store) == []


async def test_a_lone_statement_that_misses_keeps_nothing(store: HostStateStore) -> None:
    once = Statement(put("a").name, put("a").params, 2)
    with pytest.raises(StateConflict):
        await store.execute(once)
    assert await keys(store) == []


async def test_a_broken_constraint_is_a_conflict_and_rolls_the_whole_unit_back(store: HostStateStore) -> None:
    lost, _ = history.append_messages(parent_id="no such entry", turn_id="t", messages=["{}"], now_ms=1)
    with pytest.raises(StateConflict, match=r"history\.append"):
        await store.execute(put("before"), *lost)
    assert await keys(store) == []


async def test_a_unit_that_fails_takes_no_concurrent_unit_with_it(store: HostStateStore) -> None:
    async def unit(number: int) -> bool:
        last = turns.retry_turn("nobody", 1) if number % 3 == 0 else put(f"{number:03}b")
        try:
            await store.execute(put(f"{number:03}a"), last)
        except StateConflict:
            return False
        return True

    kept = await asyncio.gather(*(unit(number) for number in range(200)))
    assert kept == [number % 3 != 0 for number in range(200)]
    assert await keys(store) == [f"{n:03}{half}" for n in range(200) if n % 3 for half in "ab"]


@pytest.mark.parametrize("store", ["memory", "sqlite"], indirect=True)
async def test_units_of_one_writer_take_effect_in_the_order_of_their_calls(store: HostStateStore) -> None:
    moves = [store.execute(aliases.move_alias("me", f"s{number}", now_ms=number)) for number in range(300)]
    await asyncio.gather(*(asyncio.ensure_future(move) for move in moves))
    (rows,) = await store.execute(aliases.load_alias("me"))
    assert aliases.read_alias(rows) == "s299"


async def test_an_unknown_statement_says_so_and_keeps_nothing(store: HostStateStore) -> None:
    with pytest.raises(UnknownStatement, match=r"unknown statement 'records\.typo'.*hosting\.state\.tables"):
        await store.execute(put("a"), Statement("records.typo", {}))
    assert await keys(store) == []


async def test_a_statement_without_its_parameters_fails_alone(store: HostStateStore) -> None:
    bad = store.execute(put("a"), Statement("records.put", {"namespace": "ns"}))
    good = store.execute(put("b"))
    outcome, _ = await asyncio.gather(bad, good, return_exceptions=True)
    assert isinstance(outcome, HostingError)
    assert await keys(store) == ["b"]


async def test_text_that_cannot_be_stored_fails_alone(store: HostStateStore) -> None:
    with pytest.raises(UnicodeEncodeError):
        await store.execute(put("a"), put("lone \ud800 surrogate"))
    await store.execute(put("b"))
    assert await keys(store) == ["b"]


async def test_a_cancelled_caller_leaves_the_store_working(store: HostStateStore) -> None:
    task = asyncio.create_task(store.execute(put("a")))
    others = [asyncio.create_task(store.execute(put(f"b{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(*others)
    assert set(await keys(store)) >= {f"b{number}" for number in range(20)}


async def test_a_closed_store_is_unavailable_and_closing_repeats(store: HostStateStore) -> None:
    await store.close()
    await store.close()
    with pytest.raises(StateUnavailable, match="open") as caught:
        await store.execute(ping())
    assert caught.value.status == 503
    assert caught.value.retry_after
    assert "open()" not in caught.value.message


async def test_opening_repeats_and_a_closed_store_can_be_opened_again(store: HostStateStore) -> None:
    await store.open()
    await store.close()
    await store.open()
    assert await store.execute(ping()) == [[(1,)]]


def writer_threads() -> int:
    """Threads of SQLite stores in this process; another test may have left one behind."""
    return sum(thread.name == "hosting-state" for thread in threading.enumerate())


async def test_closing_finishes_what_waits_and_leaves_no_thread(store: HostStateStore) -> None:
    before = writer_threads()
    waiting = [asyncio.create_task(store.execute(put(f"{number:03}"))) for number in range(300)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    await asyncio.gather(*waiting)
    if isinstance(store, SqliteHostStateStore):
        assert writer_threads() == before - 1


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_a_store_serves_callers_of_several_loops(
    kind: str, database: Path, request: pytest.FixtureRequest
) -> None:
    stores: dict[str, Callable[[], HostStateStore]] = {
        "memory": InMemoryHostStateStore,
        "sqlite": lambda: SqliteHostStateStore(database),
        "postgres": lambda: PostgresHostStateStore(
            postgres_server.URL, schema=request.getfixturevalue("schema"), pool_size=2
        ),
    }
    store = stores[kind]()
    asyncio.run(store.open())

    async def many(name: str) -> None:
        await asyncio.gather(*(store.execute(put(f"{name}{n:03}"), put(f"{name}{n:03}x")) for n in range(50)))

    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda name: asyncio.run(many(name)), "abc"))
    assert len(asyncio.run(keys(store))) == 300
    asyncio.run(store.close())


async def test_one_of_many_concurrent_claims_is_new(store: HostStateStore) -> None:
    claim = events.claim_event(channel="c", delivery_id="d", lane="l", payload="{}", now_ms=1, expires_ms=9)
    outcomes = await asyncio.gather(*(store.execute(claim) for _ in range(64)))
    assert sum(len(rows) for (rows,) in outcomes) == 1


async def test_one_of_many_concurrent_saves_under_one_fence_wins(store: HostStateStore) -> None:
    await store.execute(sessions.create_session(isolation_key="me", key="k", session_id="s", now_ms=1))

    async def save(number: int) -> bool:
        try:
            await store.execute(
                sessions.save_session(session_id="s", fence=1, head=None, now_ms=number),
                put(f"winner-{number}"),
            )
        except StateConflict:
            return False
        return True

    wins = await asyncio.gather(*(save(number) for number in range(64)))
    assert sum(wins) == 1
    assert await keys(store) == [f"winner-{wins.index(True)}"]
