"""Units that meet on PostgreSQL take effect one after the other (contract 4.3, 4.8; `hosting.state.base`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from hosting.state import PostgresHostStateStore, StateConflict, Statement, sweep
from hosting.state.tables import events, history, instances, outbox, records, runs, sessions, snapshots
from tests.state import postgres_server

DAY = 24 * 3_600_000


def put(key: str, value: str = "1", expires: int | None = None) -> Statement:
    return records.put_record("ns", key, value, now_ms=1, expires_ms=expires)


@pytest.fixture
async def store(schema: str) -> AsyncIterator[PostgresHostStateStore]:
    store = PostgresHostStateStore(postgres_server.URL, schema=schema)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def other(schema: str, store: PostgresHostStateStore) -> AsyncIterator[psycopg.AsyncConnection]:
    """Somebody else in the middle of a transaction."""
    connection = await psycopg.AsyncConnection.connect(postgres_server.URL)
    yield connection
    await connection.close()


async def slow_down(schema: str, table: str, when: str) -> None:
    """Inserts of such rows take a moment between drawing their number and the end of their unit."""
    postgres_server.run(
        f"""CREATE FUNCTION {schema}.slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.4); RETURN NEW; END $$;
            CREATE TRIGGER slow BEFORE INSERT ON {schema}.{table}
            FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {schema}.slow()"""
    )


async def waits(schema: str) -> None:
    """Returns once a connection of the store waits for a lock."""
    query = f"SELECT 1 FROM pg_stat_activity WHERE query LIKE '%{schema}.%' AND wait_event_type = 'Lock'"
    while not postgres_server.run(query):
        await asyncio.sleep(0.01)


def claim(delivery: str, lane: str | None) -> Statement:
    return events.claim_event(
        channel="c", delivery_id=delivery, lane=lane, payload="{}", now_ms=1, expires_ms=100
    )


async def take(store: PostgresHostStateStore, limit: int = 10) -> list[events.TakenEvent]:
    (rows,) = await store.execute(events.take_events("me", now_ms=1, limit=limit))
    return events.read_events(rows)


@pytest.mark.parametrize("lane", ["l", None])
async def test_an_event_is_not_seen_before_an_earlier_one_of_its_lane(
    store: PostgresHostStateStore, schema: str, lane: str | None
) -> None:
    await store.execute(instances.keep_instance("me", now_ms=1, until_ms=100))
    await slow_down(schema, "events", "NEW.delivery_id = 'slow'")
    slow = asyncio.create_task(store.execute(claim("slow", lane)))
    await asyncio.sleep(0.1)
    fast = asyncio.create_task(store.execute(claim("fast", lane)))
    taken = [event.delivery_id for _ in range(20) for event in await take_after_a_moment(store)]
    await asyncio.gather(slow, fast)
    taken += [event.delivery_id for event in await take(store)]
    assert taken == (["slow"] if lane else ["fast", "slow"])


async def take_after_a_moment(store: PostgresHostStateStore) -> list[events.TakenEvent]:
    await asyncio.sleep(0.02)
    return await take(store)


async def test_lanes_do_not_wait_for_each_other(store: PostgresHostStateStore, schema: str) -> None:
    await slow_down(schema, "events", "NEW.delivery_id = 'slow'")
    slow = asyncio.create_task(store.execute(claim("slow", "a")))
    await asyncio.sleep(0.1)
    await store.execute(claim("fast", "b"))
    assert not slow.done()
    await slow


async def test_units_that_add_to_the_same_lanes_do_not_wait_in_a_circle(
    store: PostgresHostStateStore,
) -> None:
    def add(name: str, lane: str) -> Statement:
        return outbox.add_delivery(
            id=name,
            turn_id="t",
            channel="c",
            destination="{}",
            lane=lane,
            payload="{}",
            now_ms=1,
            expires_ms=9,
        )

    async def both(number: int) -> None:
        lanes = "ab" if number % 2 else "ba"
        await store.execute(*(add(f"{number}{lane}", lane) for lane in lanes))

    async with asyncio.timeout(10):
        await asyncio.gather(*(both(number) for number in range(40)))


async def test_many_takers_share_the_work_and_none_is_done_twice(
    store: PostgresHostStateStore, schema: str
) -> None:
    second = PostgresHostStateStore(postgres_server.URL, schema=schema)
    await second.open()
    await store.execute(instances.keep_instance("me", now_ms=1, until_ms=100))
    for number in range(60):
        await store.execute(claim(f"{number:02}", f"lane{number % 20}"))
    found: list[str] = []
    lanes: set[str | None] = set()

    async def work(store: PostgresHostStateStore) -> None:
        while len(found) < 60:
            for event in await take(store, limit=3):
                assert event.lane not in lanes, "two events of one lane at once"
                lanes.add(event.lane)
                await asyncio.sleep(0)
                lanes.remove(event.lane)
                found.append(event.delivery_id)
                await store.execute(events.end_event(event.seq, event.fence, "done"))

    async with asyncio.timeout(30):
        await asyncio.gather(*(work(store) for store in (store, second) for _ in range(6)))
    await second.close()
    assert sorted(found) == [f"{number:02}" for number in range(60)]
    for lane in range(20):
        own = [name for name in found if int(name) % 20 == lane]
        assert own == sorted(own)


async def test_no_take_passes_its_limit(store: PostgresHostStateStore) -> None:
    await store.execute(instances.keep_instance("me", now_ms=1, until_ms=100))
    await store.execute(*(claim(f"{number}", f"{number}") for number in range(300)))
    taken = await asyncio.gather(*(take(store, limit=1) for _ in range(50)))
    assert [len(events) for events in taken] == [1] * 50
    assert len({event.seq for events in taken for event in events}) == 50


async def test_a_record_that_was_renewed_during_the_sweep_stays(
    store: PostgresHostStateStore, other: psycopg.AsyncConnection, schema: str
) -> None:
    await store.execute(put("kept", expires=5), put("gone", expires=5))
    await other.execute(f"UPDATE {schema}.records SET expires_ms = 500 WHERE key = 'kept'".encode())
    sweeping = asyncio.create_task(sweep(store, 100))
    await asyncio.sleep(0.2)
    await other.commit()
    await sweeping
    assert await sweep(store, 100) == 0
    (rows,) = await store.execute(records.scan_records("ns", limit=9, now_ms=100))
    assert [record.key for record in records.read_records(rows)] == ["kept"]


async def test_a_session_that_was_saved_during_the_sweep_stays_with_its_history(
    store: PostgresHostStateStore, other: psycopg.AsyncConnection, schema: str
) -> None:
    rows, head = history.append_messages(parent_id=None, turn_id="t", messages=["1", "2"], now_ms=1)
    await store.execute(
        *rows,
        sessions.create_session(
            isolation_key="me", key="k", session_id="s", head=head, now_ms=1, expires_ms=5
        ),
    )
    await other.execute(f"UPDATE {schema}.sessions SET expires_ms = 500, fence = 2".encode())
    sweeping = asyncio.create_task(sweep(store, DAY + 100))
    await waits(schema)
    await other.commit()
    await sweeping
    assert await sweep(store, DAY + 100) == 0
    session, chain = await store.execute(sessions.load_session("me", "k"), history.load_history(head or ""))
    assert len(session) == 1
    assert len(chain) == 2


async def test_history_that_a_fork_begins_to_need_during_the_sweep_stays(
    store: PostgresHostStateStore, other: psycopg.AsyncConnection, schema: str
) -> None:
    rows, head = history.append_messages(parent_id=None, turn_id="t", messages=["1", "2", "3"], now_ms=1)
    await store.execute(
        *rows, sessions.create_session(isolation_key="me", key="k", session_id="s", head=head, now_ms=1)
    )
    await store.execute(*sessions.delete_session("s"))
    await other.execute(
        f"""INSERT INTO {schema}.history (id, parent_id, turn_id, message, created_ms)
            VALUES ('fork', 't:1', 'f', '4', 1)""".encode()
    )
    sweeping = asyncio.create_task(sweep(store, DAY + 100))
    await waits(schema)
    await other.commit()
    assert await sweeping == 1, "only what the fork does not need"
    (chain,) = await store.execute(history.load_history("fork"))
    assert [entry.message for entry in history.read_history(chain)] == ["1", "2", "4"]


async def test_a_snapshot_that_was_added_during_the_sweep_goes_with_its_session(
    store: PostgresHostStateStore, other: psycopg.AsyncConnection, schema: str
) -> None:
    rows, head = history.append_messages(parent_id=None, turn_id="t", messages=["1", "2"], now_ms=1)
    await store.execute(
        *rows, sessions.create_session(isolation_key="me", key="k", session_id="s", now_ms=1, expires_ms=5)
    )
    await other.execute(
        f"INSERT INTO {schema}.snapshots (session_id, turn_id, head, created_ms) VALUES ('s', 't', %s, 1)".encode(),
        [head],
    )
    sweeping = asyncio.create_task(sweep(store, DAY + 100))
    await waits(schema)
    await other.commit()
    await sweeping
    while await sweep(store, DAY + 100):
        pass
    snapshot, chain = await store.execute(snapshots.load_snapshot("s", "t"), history.load_history(head or ""))
    assert (snapshot, chain) == ([], [])


async def test_an_attempt_that_was_overtaken_adds_nothing_to_the_new_log(
    store: PostgresHostStateStore, other: psycopg.AsyncConnection, schema: str
) -> None:
    await store.execute(
        runs.add_run(
            run_id="r",
            token_hash="h",
            channel="c",
            caller="",
            response_id="x",
            isolation_key=None,
            request="{}",
            now_ms=1,
        ),
        *runs.begin_run("r", 1),
        runs.append_to_log("r", 1, 1, "1"),
    )
    await other.execute(f"UPDATE {schema}.runs SET fence = 2".encode())
    await other.execute(f"DELETE FROM {schema}.run_events".encode())
    late = asyncio.create_task(store.execute(runs.append_to_log("r", 1, 2, "late")))
    await asyncio.sleep(0.2)
    await other.commit()
    with pytest.raises(StateConflict, match="found 0 rows"):
        await late
    assert await store.execute(runs.load_log("r", after=0, limit=9)) == [[]]


async def test_units_that_wait_for_each_other_are_both_done(
    store: PostgresHostStateStore, schema: str
) -> None:
    await store.execute(put("a"), put("b"))
    postgres_server.run(
        f"""CREATE FUNCTION {schema}.slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$;
            CREATE TRIGGER slow AFTER UPDATE ON {schema}.records FOR EACH ROW EXECUTE FUNCTION {schema}.slow()"""
    )
    async with asyncio.timeout(20):
        await asyncio.gather(
            store.execute(put("a", '"x"'), put("b", '"x"')), store.execute(put("b", '"y"'), put("a", '"y"'))
        )
    (rows,) = await store.execute(records.scan_records("ns", limit=9, now_ms=1))
    assert len({record.value for record in records.read_records(rows)}) == 1, "one after the other"


async def test_a_unit_sees_one_moment_even_between_its_statements(
    store: PostgresHostStateStore,
) -> None:
    await store.execute(put("a", "0"), put("b", "0"))
    stop = asyncio.Event()

    async def write() -> None:
        for number in range(1_000_000):
            if stop.is_set():
                return
            await store.execute(put("a", f"{number}"), put("b", f"{number}"))

    writing = [asyncio.create_task(write()) for _ in range(2)]
    for _ in range(300):
        first, second = await store.execute(
            records.get_record("ns", "a", now_ms=1), records.get_record("ns", "b", now_ms=1)
        )
        assert first[0][1] == second[0][1]
    stop.set()
    await asyncio.gather(*writing)


async def test_a_conflict_is_told_once_it_is_one_on_a_new_snapshot(
    store: PostgresHostStateStore, other: psycopg.AsyncConnection, schema: str
) -> None:
    """A row that is being removed is no conflict if it goes, and one if it stays."""
    lost, _ = history.append_messages(parent_id="no such entry", turn_id="t", messages=["{}"], now_ms=1)
    with pytest.raises(StateConflict, match=r"history\.append.*foreign key"):
        await store.execute(*lost)
    await other.execute(
        f"INSERT INTO {schema}.history (id, turn_id, message, created_ms) VALUES ('t:0', 't', '1', 1)".encode()
    )
    (again,), _ = history.append_messages(parent_id=None, turn_id="t", messages=["{}"], now_ms=1)
    adding = asyncio.create_task(store.execute(again))
    await waits(schema)
    await other.rollback()
    await adding
