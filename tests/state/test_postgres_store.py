"""What is PostgreSQL's own: texts, schemas, connections, poolers, signals (contract 15.1, decisions S1, S4)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable

import psycopg
import pytest

from hosting.errors import ChannelConfigurationError
from hosting.state import (
    PostgresHostStateStore,
    StateConflict,
    StateCorrupt,
    StateError,
    Statement,
    StateTooNew,
    StoreSignals,
    signal,
)
from hosting.state.schema import SCHEMA_VERSION
from hosting.state.tables import instances, records, turns
from tests.state import postgres_server
from tests.state.severed_line import line
from tests.state.transaction_pooler import pooler


def put(key: str, value: str = "1") -> Statement:
    return records.put_record("ns", key, value, now_ms=1)


async def keys(store: PostgresHostStateStore) -> list[str]:
    (rows,) = await store.execute(records.scan_records("ns", limit=1_000, now_ms=1))
    return [record.key for record in records.read_records(rows)]


@pytest.fixture
async def store(schema: str) -> AsyncIterator[PostgresHostStateStore]:
    store = PostgresHostStateStore(postgres_server.URL, schema=schema)
    await store.open()
    yield store
    await store.close()


WITHOUT_PSYCOPG = """
import sys
import hosting
assert "psycopg" not in sys.modules, "nobody needs it who does not use it"
sys.modules["psycopg"] = None
try:
    hosting.PostgresHostStateStore("postgresql://joe:hunter2@db/x")
except hosting.ChannelConfigurationError as error:
    print(error)
"""


def test_without_psycopg_the_error_names_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PSYCOPG], capture_output=True, text=True, check=True, timeout=60
    )
    assert "install hosting[postgres]" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"schema": "Hosting"}, "found the schema 'Hosting'"),
        ({"schema": "a; DROP TABLE x"}, "expected 1 to 48 of a-z"),
        ({"schema": ""}, "a letter first"),
        ({"pool_size": 0}, "pool_size=0"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(options: dict, said: str) -> None:
    with pytest.raises(ChannelConfigurationError, match=said):
        PostgresHostStateStore("postgresql://db/x", **options)


async def test_every_statement_is_understood_and_names_its_tables_in_full(
    store: PostgresHostStateStore, schema: str
) -> None:
    from hosting.state.postgres.texts import prepared_texts

    connection = await psycopg.AsyncConnection.connect(
        postgres_server.URL, autocommit=True, options="-c search_path="
    )
    for number, text in enumerate(prepared_texts(schema).values()):
        if not text.name.startswith("procrastinate."):  # another's schema
            await connection.execute(f"PREPARE s{number} AS ".encode() + text.sql)
            if text.expecting is not None:
                await connection.execute(f"PREPARE e{number} AS ".encode() + text.expecting)
    await connection.close()


async def test_texts_compare_as_bytes_whatever_the_database_says(
    store: PostgresHostStateStore, schema: str
) -> None:
    other = postgres_server.run(
        f"""SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_collation l ON l.oid = a.attcollation
            WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
            AND l.collname <> 'C'"""
    )
    assert other == []


async def test_two_schemas_of_one_database_share_nothing(store: PostgresHostStateStore) -> None:
    with postgres_server.own_schema() as schema:
        second = PostgresHostStateStore(postgres_server.URL, schema=schema)
        await second.open()
        await store.execute(put("mine"))
        await second.execute(put("theirs"))
        assert [await keys(each) for each in (store, second)] == [["mine"], ["theirs"]]
        await second.close()


async def test_a_schema_that_holds_something_else_is_refused_untouched(schema: str) -> None:
    postgres_server.run(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.invoices (id int)")
    store = PostgresHostStateStore(postgres_server.URL, schema=schema)
    with pytest.raises(StateCorrupt, match=r"'invoices' and no schema_version.*name another schema"):
        await store.open()
    assert tables(schema) == ["invoices"]


async def test_a_newer_schema_is_refused_untouched(store: PostgresHostStateStore, schema: str) -> None:
    postgres_server.run(f"UPDATE {schema}.schema_version SET version = 999")
    before = tables(schema)
    late = PostgresHostStateStore(postgres_server.URL, schema=schema)
    with pytest.raises(StateTooNew, match=rf"found schema version 999, expected at most {SCHEMA_VERSION}"):
        await late.open()
    assert tables(schema) == before


async def test_a_database_that_confirms_before_it_writes_is_told_otherwise_or_refused(schema: str) -> None:
    joined = "&" if "?" in postgres_server.URL else "?"
    careless = f"{postgres_server.URL}{joined}options=-c%20synchronous_commit%3Doff"
    store = PostgresHostStateStore(careless, schema=schema)
    await store.open()
    await store.close()
    with pytest.raises(StateError, match="found synchronous_commit off, expected on"):
        await PostgresHostStateStore(careless, schema=schema, prepare=False).open()


async def test_connections_are_opened_as_needed_up_to_the_size_and_closed_with_the_store(schema: str) -> None:
    joined = "&" if "?" in postgres_server.URL else "?"
    store = PostgresHostStateStore(
        f"{postgres_server.URL}{joined}application_name={schema}", schema=schema, pool_size=4
    )
    await store.open()
    assert connections(schema) == 1
    await asyncio.gather(*(store.execute(put(f"{number}")) for number in range(100)))
    assert connections(schema) == 4
    await store.close()
    while connections(schema):  # the server needs a moment to see it
        await asyncio.sleep(0.01)


async def test_a_unit_is_one_round_trip_and_expectations_are_checked_on_the_way(schema: str) -> None:
    async with line() as wire:
        store = PostgresHostStateStore(wire.url, schema=schema, pool_size=1)
        await store.open()
        unit = [put("a"), instances.keep_instance("i", now_ms=1, until_ms=2), put("b")]
        await store.execute(*unit)
        wire.sent.clear()
        for _ in range(5):
            await store.execute(*unit)
        assert len(wire.sent) == 5
        wire.sent.clear()
        with pytest.raises(StateConflict, match=r"turns\.retry: found 0 rows, expected 1"):
            await store.execute(put("c"), turns.retry_turn("nobody", 1), put("d"))
        assert await keys(store) == ["a", "b"]
        await store.close()


async def test_many_rows_and_large_texts_go_both_ways(store: PostgresHostStateStore) -> None:
    large = '"' + "ü€😀" * 400_000 + '"'
    await store.execute(*(put(f"{number}", large) for number in range(8)))
    (rows,) = await store.execute(records.scan_records("ns", limit=9, now_ms=1))
    assert [record.value == large for record in records.read_records(rows)] == [True] * 8


async def test_a_unit_goes_on_when_its_caller_is_cancelled_and_its_connection_is_not_lost(
    schema: str,
) -> None:
    store = PostgresHostStateStore(postgres_server.URL, schema=schema, pool_size=1)
    await store.open()
    task = asyncio.create_task(store.execute(put("a"), put("b")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.execute(put("c"))
    assert await keys(store) == ["a", "b", "c"]
    await store.close()


async def test_behind_a_pooler_each_transaction_may_have_another_connection(schema: str) -> None:
    async with pooler() as between:
        store = PostgresHostStateStore(between.url, schema=schema, prepare=False)
        await store.open()
        assert not store.signals_between_processes
        before = between.transactions
        for number in range(7):
            await store.execute(put(f"{number}"), put(f"{number}x"))
        assert between.transactions == before + 7
        with pytest.raises(StateConflict):
            await store.execute(put("lost"), turns.retry_turn("nobody", 1))
        with pytest.raises(StateConflict):
            await store.execute(put("lost"), Statement("store.ping", {}, 2))
        await asyncio.gather(*(store.execute(put(f"{number}y")) for number in range(20)))
        assert len(await keys(store)) == 34
        await store.close()


async def test_prepared_statements_behind_a_pooler_are_refused_with_advice(schema: str) -> None:
    async with pooler() as between:
        store = PostgresHostStateStore(between.url, schema=schema, pool_size=1)
        await store.open()
        outcomes = [await told(store.execute(put("a"))) for _ in range(9)]
        assert any("prepare=False" in outcome for outcome in outcomes)
        await store.close()


async def test_a_signal_wakes_other_processes_once_its_unit_is_committed(
    store: PostgresHostStateStore, schema: str
) -> None:
    second = PostgresHostStateStore(postgres_server.URL, schema=schema)
    await second.open()
    assert isinstance(second, StoreSignals)
    assert second.signals_between_processes
    here, there, elsewhere = asyncio.Event(), asyncio.Event(), asyncio.Event()
    store.subscribe("run:1", here)
    end = second.subscribe("run:1", there)
    second.subscribe("run:2", elsewhere)
    async with asyncio.timeout(5):
        await there.wait()  # it may have missed something before it listened
    for event in (here, there, elsewhere):
        event.clear()
    with pytest.raises(StateConflict):
        await store.execute(signal("run:1"), turns.retry_turn("nobody", 1))
    await store.execute(put("a"), signal("run:1"))
    assert here.is_set(), "the own process is woken without a detour"
    async with asyncio.timeout(5):
        await there.wait()
    assert not elsewhere.is_set()
    end()
    there.clear()
    await store.execute(signal("run:1"), signal("run:2"))
    async with asyncio.timeout(5):
        await elsewhere.wait()
    assert not there.is_set()
    await second.close()


async def test_a_listener_that_lost_its_line_comes_back_and_wakes_everyone(
    store: PostgresHostStateStore, schema: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with line() as wire:
        second = PostgresHostStateStore(wire.url, schema=schema, timeout=5)
        await second.open()
        event = asyncio.Event()
        second.subscribe("t", event)
        async with asyncio.timeout(10):
            await event.wait()
            event.clear()
            wire.refuse()
            wire.cut()
            while "signals between processes are lost" not in caplog.text:
                await asyncio.sleep(0.01)
            await store.execute(signal("t"))
            await wire.open()
            await event.wait()
            event.clear()
            await store.execute(signal("t"))
            await event.wait()
        await second.close()


async def test_a_listen_address_past_the_pooler_gives_signals(
    store: PostgresHostStateStore, schema: str
) -> None:
    async with pooler() as between:
        second = PostgresHostStateStore(
            between.url, schema=schema, prepare=False, listen_url=postgres_server.URL
        )
        await second.open()
        assert second.signals_between_processes
        event = asyncio.Event()
        second.subscribe("t", event)
        async with asyncio.timeout(5):
            await event.wait()
            event.clear()
            await store.execute(signal("t"))
            await event.wait()
        await second.close()


async def test_who_waits_before_the_store_is_open_is_woken_too(
    store: PostgresHostStateStore, schema: str
) -> None:
    second = PostgresHostStateStore(postgres_server.URL, schema=schema)
    event = asyncio.Event()
    second.subscribe("t", event)
    await second.open()
    async with asyncio.timeout(5):
        await event.wait()
        event.clear()
        await store.execute(signal("t"))
        await event.wait()
    await second.close()


async def test_a_companion_has_the_same_state_over_its_own_connection(schema: str) -> None:
    store = PostgresHostStateStore(postgres_server.URL, schema=schema, pool_size=1)
    await store.open()
    companion = store.companion()
    await companion.open()
    postgres_server.run(
        f"""CREATE FUNCTION {schema}.slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;
            CREATE TRIGGER slow BEFORE INSERT ON {schema}.records FOR EACH ROW EXECUTE FUNCTION {schema}.slow()"""
    )
    busy = asyncio.create_task(store.execute(put("a")))
    await asyncio.sleep(0.05)
    begun = time.monotonic()
    await companion.execute(instances.keep_instance("i", now_ms=1, until_ms=2))
    assert time.monotonic() - begun < 0.4
    assert not busy.done()
    await busy
    await companion.close()
    await store.close()


async def told(unit: Awaitable[object]) -> str:
    try:
        return str(await unit)
    except StateError as error:
        return str(error)


def tables(schema: str) -> list[str]:
    return [
        row[0]
        for row in postgres_server.run(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}' ORDER BY 1"
        )
    ]


def connections(application: str) -> int:
    return postgres_server.run(
        f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}'"
    )[0][0]
