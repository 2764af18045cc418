"""The capacity model is arithmetic, its simulation follows from a seed, and a host runs on partitioned tables."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from benchmarks.capacity.check import Checked
from benchmarks.capacity.deployments import ONE_PROCESS, PARTITIONED, REPLICAS, deployments, several
from benchmarks.capacity.figures import Deployment, Figures, Use
from benchmarks.capacity.model import Demand, carries, demands, gives_out_first
from benchmarks.capacity.page import as_page
from benchmarks.capacity.partitions import partition
from benchmarks.capacity.simulation import Stage, fullest_part, play
from benchmarks.places import Place
from benchmarks.scenarios.store_operations import LoadOfSession
from tests.state import postgres_server

FILE = Figures(
    store="sqlite",
    turn_cpu_us=1_000,
    database_cpu_us=0,
    writer_us=200,
    log_bytes=20_000,
    kept_bytes=3_000,
    passing_bytes=3_000,
    process_bytes=70e6,
    session_bytes=12_000,
    swept=10_000,
)
SERVER = Figures(
    store="postgres",
    turn_cpu_us=2_000,
    database_cpu_us=1_000,
    writer_us=0,
    log_bytes=8_000,
    kept_bytes=4_000,
    passing_bytes=6_000,
    process_bytes=70e6,
    session_bytes=12_000,
    swept=3_000,
    partitioned_cost=1.5,
)
STAGE = Stage(
    conversations=10_000,
    rate=20.0,
    turn_seconds=2.0,
    slots=100,
    cores=1,
    turn_cpu_us=1_000,
    store_servers=1,
    store_us=500,
)


def by_name(figures: Figures, use: Use, deployment: Deployment) -> dict[str, Demand]:
    return {demand.name: demand for demand in demands(figures, use, deployment)}


@pytest.mark.parametrize(("figures", "deployment"), [(FILE, ONE_PROCESS), (SERVER, REPLICAS)])
def test_twice_the_conversations_need_twice_of_what_is_not_bounded(
    figures: Figures, deployment: Deployment
) -> None:
    once = by_name(figures, Use(conversations=1e6), deployment)
    twice = by_name(figures, Use(conversations=2e6), deployment)
    bounded = {"memory of the hosts", "connections"}
    for name in once.keys() - bounded:
        assert twice[name].needed == pytest.approx(2 * once[name].needed)
    for name in once.keys() & bounded:
        assert twice[name].needed <= 2 * once[name].needed


def test_what_a_turn_needs_is_what_was_measured() -> None:
    use = Use(conversations=864_000, active=1.0, turns=10.0, peak=1.0, turn_seconds=3.0, kept_days=10)
    found = by_name(FILE, use, ONE_PROCESS)
    assert use.rate == pytest.approx(100.0)
    assert found["turns at once"].needed == pytest.approx(300.0)
    assert found["processor of the hosts"].needed == pytest.approx(0.1)
    assert found["the one writer"].needed == pytest.approx(0.02)
    assert found["log"].needed == pytest.approx(2e6)
    assert found["disk"].needed == pytest.approx(8.64e6 * (10 * 3_000 + 30 * 3_000))


def test_a_deployment_carries_as_many_as_until_the_first_thing_gives_out() -> None:
    for figures, deployment in ((FILE, ONE_PROCESS), (SERVER, REPLICAS), (SERVER, several())):
        most = carries(figures, Use(conversations=1), deployment)
        assert gives_out_first(figures, Use(conversations=most * 0.999), deployment).share < 1
        assert gives_out_first(figures, Use(conversations=most * 1.001), deployment).share >= 1


def test_partitions_carry_the_largest_table_and_databases_carry_the_rest() -> None:
    use = Use(conversations=1e7)
    whole, split = by_name(SERVER, use, REPLICAS), by_name(SERVER, use, replace(REPLICAS, partitions=16))
    assert split["vacuum of a table"].needed == pytest.approx(whole["vacuum of a table"].needed / 16)
    assert split["processor of the database"].needed == pytest.approx(
        whole["processor of the database"].needed * 1.5
    )
    assert split["disk"].needed == whole["disk"].needed
    parted = by_name(SERVER, use, replace(REPLICAS, databases=8, skew=1.25))
    for name in ("disk", "log", "processor of the database", "memory of the database", "clean-up"):
        assert parted[name].needed == pytest.approx(whole[name].needed * 1.25 / 8)


def test_too_few_connections_give_out_whatever_the_conversations_are() -> None:
    crowded = replace(REPLICAS, processes=100)
    assert gives_out_first(SERVER, Use(conversations=10), crowded).name == "connections"
    assert gives_out_first(SERVER, Use(conversations=10), REPLICAS).name != "connections"


def test_the_simulation_has_as_much_in_use_as_the_model_says() -> None:
    played = play(STAGE, seconds=1_000.0, seed=1)
    rate = played.turns / 1_000.0
    assert rate == pytest.approx(STAGE.rate, rel=0.03)
    assert played.at_once == pytest.approx(rate * STAGE.turn_seconds, rel=0.03)
    assert played.cores == pytest.approx(rate * STAGE.turn_cpu_us / 1e6, rel=0.03)
    assert played.store == pytest.approx(rate * STAGE.store_us / 1e6, rel=0.05)
    assert played.waited_p50 < 0.01


def test_turns_of_one_conversation_do_not_overlap() -> None:
    played = play(replace(STAGE, conversations=1), seconds=100.0, seed=1)
    assert played.at_once <= 1.0
    assert played.waited_p99 > 100.0


def test_turns_wait_where_too_many_come_at_once() -> None:
    assert play(replace(STAGE, slots=30), seconds=200.0, seed=1).waited_p99 > 10.0
    assert play(replace(STAGE, slots=80), seconds=200.0, seed=1).waited_p99 < 0.1


def test_the_same_seed_plays_the_same() -> None:
    assert play(STAGE, seconds=50.0, seed=3) == play(STAGE, seconds=50.0, seed=3)
    assert play(STAGE, seconds=50.0, seed=3) != play(STAGE, seconds=50.0, seed=4)


def test_unequal_people_fill_databases_unequally() -> None:
    assert fullest_part(1, conversations=100, seed=1) == pytest.approx(1.0)
    few, many = (fullest_part(8, conversations=count, seed=1) for count in (100, 20_000))
    assert 1.0 < many < few


def test_the_page_tells_what_gives_out_first_at_each_size_and_names_no_machine() -> None:
    page = as_page(
        {"sqlite": FILE, "postgres": SERVER}, [Checked("turns at once", 1.0, 1.1, 1.2)], missing="no server"
    )
    for told in ("| 1,000 | 100,000 | 10,000,000 |", "| turns at once | 1 | 1.1 | 1.2 |", "no server"):
        assert told in page
    for _, deployment in deployments():
        assert f"### {deployment.name}" in page


def test_the_page_leaves_out_what_was_not_measured() -> None:
    page = as_page({"sqlite": FILE}, [])
    assert f"### {ONE_PROCESS.name}" in page
    assert f"### {PARTITIONED.name}" not in page


def test_a_store_works_on_partitioned_tables() -> None:
    with postgres_server.own_schema() as schema:
        place = Place("postgres", schema)
        asyncio.run(_opened(place))
        partition(schema, 4)
        asyncio.run(_committed(place))
        parts = postgres_server.run(
            f"SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relnamespace = '{schema}'::regnamespace"
        )
        rows = postgres_server.run(f"SELECT COUNT(*) FROM {schema}.history")
    assert len(parts) == 4 * 4
    assert rows == [(20,)]


async def _opened(place: Place) -> None:
    store = place.store()
    await store.open()
    await store.close()


async def _committed(place: Place) -> None:
    """Ten turns of one session, and the session with all of its history."""
    store = place.store()
    await store.open()
    try:
        load = LoadOfSession(store)
        await load.prepare(1, 1)
        await load.step(0, 0)
    finally:
        await store.close()
