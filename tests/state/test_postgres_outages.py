"""The server goes away, refuses, or loses answers: what callers are told, and how the store comes back (contract 14.1)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from hosting.state import PostgresHostStateStore, Statement, StateOutcomeUnknown, StateUnavailable, ping
from hosting.state.tables import records
from tests.state import postgres_server
from tests.state.severed_line import Line, line

REPEAT = [pytest.param(number, id=f"again{number}") for number in range(3)]


def put(key: str, value: str = "1") -> Statement:
    return records.put_record("ns", key, value, now_ms=1)


async def keys(store: PostgresHostStateStore) -> list[str]:
    (rows,) = await store.execute(records.scan_records("ns", limit=1_000, now_ms=1))
    return [record.key for record in records.read_records(rows)]


def stored(schema: str) -> list[str]:
    return [row[0] for row in postgres_server.run(f"SELECT key FROM {schema}.records ORDER BY key")]


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened:
        yield opened


@pytest.fixture
async def far(wire: Line, schema: str) -> AsyncIterator[PostgresHostStateStore]:
    """A store whose line to the server can be cut."""
    store = PostgresHostStateStore(wire.url, schema=schema, pool_size=3, timeout=5.0)
    await store.open()
    yield store
    wire.answers = True
    await store.close()


async def test_no_server_is_unavailable_says_where_and_shows_no_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    store = PostgresHostStateStore("postgresql://joe:hunter2@127.0.0.1:1/state")
    for _ in range(2):
        with pytest.raises(StateUnavailable, match=r"database state on 127\.0\.0\.1.*refused") as caught:
            await store.open()
    assert caught.value.status == 503
    with pytest.raises(StateUnavailable, match="not open"):
        await store.execute(ping())
    told = "".join(str(error) for error in (caught.value, caught.value.__cause__, caught.value.__context__))
    assert "hunter2" not in told + caught.value.message + caplog.text
    await store.close()


async def test_a_cut_line_is_told_and_the_next_unit_works(far: PostgresHostStateStore, wire: Line) -> None:
    await asyncio.gather(*(far.execute(put(f"{number}")) for number in range(6)))
    wire.cut()
    await asyncio.sleep(0.05)
    assert len(await keys(far)) == 6, "idle connections that broke are replaced, not handed out"
    await far.execute(put("after"))


async def test_a_server_that_refuses_is_unavailable_and_recovery_needs_no_restart(
    far: PostgresHostStateStore, wire: Line
) -> None:
    wire.refuse()
    wire.cut()
    outcomes = await asyncio.gather(*(far.execute(put(f"{n}")) for n in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StateUnavailable}
    await wire.open()
    await far.execute(put("after"))
    assert await keys(far) == ["after"]


@pytest.mark.parametrize("again", REPEAT)
async def test_a_lost_answer_to_a_commit_is_no_promise_either_way(
    far: PostgresHostStateStore, wire: Line, schema: str, again: int
) -> None:
    await far.execute(put("first"))
    wire.answers = False
    unit = asyncio.create_task(far.execute(put("a"), put("b")))
    while stored(schema) != ["a", "b", "first"]:
        await asyncio.sleep(0.01)
    wire.cut()
    with pytest.raises(StateOutcomeUnknown, match="kept whole or not at all"):
        await unit
    wire.answers = True
    assert await keys(far) == ["a", "b", "first"]


async def test_a_read_whose_answer_was_lost_is_read_again(far: PostgresHostStateStore, wire: Line) -> None:
    await far.execute(put("a"))
    wire.answers = False
    reading = asyncio.create_task(keys(far))
    await asyncio.sleep(0.05)
    wire.answers = True
    wire.cut()
    assert await reading == ["a"]


async def test_a_unit_that_the_server_ended_was_surely_not_kept(
    far: PostgresHostStateStore, schema: str
) -> None:
    await far.execute(put("first"))
    postgres_server.run(
        f"""CREATE FUNCTION {schema}.wait() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(CASE NEW.key WHEN 'slow' THEN 30 ELSE 0 END); RETURN NEW; END $$;
            CREATE TRIGGER wait BEFORE INSERT ON {schema}.records FOR EACH ROW EXECUTE FUNCTION {schema}.wait()"""
    )
    unit = asyncio.create_task(far.execute(put("before"), put("slow")))
    while not unit.done():  # it surely was not kept, so it is tried once more
        postgres_server.run(
            f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE query LIKE '%{schema}.records%' AND wait_event = 'PgSleep'"""
        )
        await asyncio.sleep(0.02)
    with pytest.raises(StateUnavailable, match="nothing of the unit was kept") as caught:
        await unit
    assert type(caught.value) is StateUnavailable
    assert await keys(far) == ["first"]


async def test_connections_that_the_server_ended_are_replaced_unnoticed(
    far: PostgresHostStateStore, schema: str
) -> None:
    await asyncio.gather(*(far.execute(put(f"{number}"), put(f"{number}x")) for number in range(9)))
    postgres_server.run(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%{schema}%' AND pid <> pg_backend_pid()"
    )
    await asyncio.sleep(0.1)
    await asyncio.gather(*(far.execute(put(f"{number}y")) for number in range(9)))
    assert len(await keys(far)) == 27


async def test_a_server_that_does_not_answer_is_unavailable_in_time(wire: Line, schema: str) -> None:
    store = PostgresHostStateStore(wire.url, schema=schema, pool_size=1, timeout=0.3)
    await store.open()
    await store.execute(put("a"))
    wire.answers = False
    waiting = [asyncio.create_task(store.execute(put(key))) for key in ("b", "c")]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(outcome, StateUnavailable) for outcome in outcomes), outcomes
    assert any("no answer within 0.3 s" in str(outcome) for outcome in outcomes)
    wire.answers = True
    wire.cut()
    await store.execute(put("d"))
    assert {"a", "d"} <= set(await keys(store))
    await store.close()


async def test_too_many_connections_are_unavailable(schema: str) -> None:
    role = schema
    postgres_server.run(
        f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1; CREATE SCHEMA {schema} AUTHORIZATION {role}"
    )
    try:
        store = PostgresHostStateStore(_as(role), schema=schema, pool_size=2, timeout=5.0)
        await store.open()
        outcomes = await asyncio.gather(*(store.execute(put(key)) for key in "ab"), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["StateUnavailable", "list"]
        assert "too many connections" in " ".join(map(str, outcomes))
        await store.execute(put("c"))
        await store.close()
    finally:
        postgres_server.run(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


async def test_a_role_that_may_not_read_is_told_and_changes_nothing(schema: str) -> None:
    role = schema + "x"
    postgres_server.run(f"CREATE ROLE {role} LOGIN; CREATE SCHEMA {schema}")
    try:
        store = PostgresHostStateStore(_as(role), schema=schema)
        with pytest.raises(StateUnavailable, match=f"permission denied for schema {schema}"):
            await store.open()
    finally:
        postgres_server.run(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_a_read_only_server_is_unavailable_and_its_connections_are_left(schema: str) -> None:
    role = schema
    postgres_server.run(f"CREATE ROLE {role} LOGIN; CREATE SCHEMA {schema} AUTHORIZATION {role}")
    try:
        store = PostgresHostStateStore(_as(role), schema=schema, pool_size=1)
        await store.open()
        postgres_server.run(f"ALTER ROLE {role} SET default_transaction_read_only = on")
        _end_connections_of(role)
        with pytest.raises(StateUnavailable, match="read-only transaction"):
            await store.execute(put("a"))
        assert await store.execute(ping()) == [[(1,)]]
        postgres_server.run(f"ALTER ROLE {role} RESET default_transaction_read_only")
        with pytest.raises(StateUnavailable, match="read-only transaction"):
            await store.execute(put("a"))
        await store.execute(put("a"))
        await store.close()
    finally:
        postgres_server.run(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def _as(role: str) -> str:
    joined = "&" if "?" in postgres_server.URL else "?"
    return f"{postgres_server.URL}{joined}user={role}"


def _end_connections_of(role: str) -> None:
    postgres_server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")
