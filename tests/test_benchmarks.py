"""Every benchmark runs and reports in one shape; no test looks at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks import processes
from benchmarks.catalogue import SCENARIOS, everyday
from benchmarks.in_process import OWNER, hosting_at, turn_in
from benchmarks.load import Load, put_load
from benchmarks.places import place
from benchmarks.report import Result, as_json, as_page, as_table
from benchmarks.rough.store import AwayStore
from benchmarks.scale import TINY
from benchmarks.seeding import seed_sessions
from benchmarks.servers import serving
from benchmarks.stats import Row, Series
from hosting import InMemoryHostStateStore, SqliteHostStateStore
from hosting.state import StateUnavailable
from hosting.state.statements import ping
from hosting.state.tables import history, sessions
from hosting_testkit.targets import Echo


def row(host: Sequence[float], other: Sequence[float], **changes: Any) -> Row:
    return Row(case="a case", unit="us", host=Series(host), other=Series(other), beside="by hand", **changes)


def result(*rows: Row, name: str = "a-scenario") -> Result:
    return Result(name=name, title="a title", rows=rows, seconds=1.0, load_average=0.5)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_reports_readings_of_both_sides(name: str) -> None:
    rows = SCENARIOS[name].measure(TINY)
    report = msgspec.json.decode(as_json([result(*rows, name=name)], scale="tiny"))
    (scenario,) = report["scenarios"]
    assert scenario["name"] == name
    assert scenario["rows"]
    for found in scenario["rows"]:
        assert {
            "case",
            "unit",
            "beside",
            "host",
            "other",
            "ratio",
            "ratios",
            "target",
            "note",
        } == found.keys()
        for side in (found["host"], found["other"]):
            assert {"median", "least", "most", "values"} == side.keys()
            assert 0 <= side["least"] <= side["median"] <= side["most"]
        assert len(found["host"]["values"]) == len(found["other"]["values"]) > 0


def test_the_command_writes_the_json_and_the_page_it_was_asked_for(tmp_path: Path) -> None:
    found, page = tmp_path / "found.json", tmp_path / "page.md"
    process = processes.start(
        "-m", "benchmarks", "--tiny", "--only", "host-run", "--json", str(found), "--page", str(page)
    )
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert told.startswith("host-run: ")
    assert [scenario["name"] for scenario in msgspec.json.decode(found.read_bytes())["scenarios"]] == [
        "host-run"
    ]
    assert "host-run: " in page.read_text()


def test_a_side_that_does_twice_as_much_in_the_same_time_has_the_ratio_two() -> None:
    assert row([20, 20], [10, 10], more_is_better=True).ratio == 2.0


def test_a_side_that_takes_twice_as_long_has_the_ratio_one_half() -> None:
    assert row([20, 20], [10, 10]).ratio == 0.5


def test_the_range_of_ratios_compares_readings_of_the_same_round() -> None:
    ratios = row([10, 40], [20, 40], more_is_better=True).ratios
    assert (ratios.least, ratios.most) == (0.5, 1.0)


def test_the_table_says_whether_a_target_was_reached() -> None:
    assert "target 0.6: missed" in as_table(result(row([10], [5], target=0.6)))
    assert "target 0.6: reached" in as_table(result(row([10], [9], target=0.6)))


def test_the_page_names_versions_and_no_machine() -> None:
    page = as_page([result(row([1], [1]))], scale="tiny")
    assert "agent-framework-core: 1." in page
    assert "a-scenario: a title" in page


def test_the_table_says_what_was_left_out() -> None:
    left_out = Result(
        name="a", title="b", rows=[row([1], [1])], seconds=1.0, load_average=0.5, left_out="no server"
    )
    assert as_table(left_out).endswith("\nno server")
    assert "no server" not in as_table(result(row([1], [1])))


def test_what_takes_long_runs_only_where_it_is_named() -> None:
    named = [name for name, scenario in SCENARIOS.items() if scenario.by_name]
    assert named == ["soak-faults"]
    assert [*everyday()] == [name for name in SCENARIOS if name not in named]


async def test_a_host_goes_on_in_seeded_sessions() -> None:
    with place("sqlite") as found:
        store = SqliteHostStateStore(found.where)
        await store.open()
        seed_sessions(found, range(3), owner=OWNER)
        async with hosting_at(Echo(), found, store=store) as host:
            await host.run(turn_in("session 1"))
            rows = await store.execute(*(sessions.load_session(OWNER, f"session {n}") for n in range(4)))
            stored = [sessions.read_session(each) for each in rows]
            assert [each and each.fence for each in stored] == [1, 2, 1, None]
            assert stored[1] is not None and stored[1].head is not None
            chain = history.read_history((await store.execute(history.load_history(stored[1].head)))[0])
            assert len(chain) == 2


async def test_a_rough_store_is_away_for_moments_and_then_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("benchmarks.rough.store.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("benchmarks.rough.store.EVERY", 3)
    store = AwayStore(InMemoryHostStateStore())
    await store.open()
    await store.execute(ping())
    await store.execute(ping())
    for _ in range(2):
        with pytest.raises(StateUnavailable):
            await store.execute(ping())
    store.steady = True
    await store.execute(ping())
    store.steady = False
    clock[0] = 1.0
    with pytest.raises(StateUnavailable):  # the sixth unit begins another moment
        await store.execute(ping())
    clock[0] = 2.0
    await store.execute(ping())
    await store.close()
    assert store.refused == 3


def test_a_load_that_meets_a_wrong_answer_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with serving("by_hand", "uvicorn") as server:
        body = '{"input":"hello"}'
        load = Load(port=server.port, bodies=[body], connections=1, seconds=0.05, expected=["goodbye"])
        with pytest.raises(RuntimeError, match="wrong answer"):
            put_load(load)
    assert "expected it to hold ['goodbye']" in capfd.readouterr().err


def test_a_load_counts_exactly_the_requests_it_was_given() -> None:
    with serving("memory", "uvicorn") as server:
        load = Load(
            port=server.port,
            bodies=['{"model":"echo","input":"hello"}'],
            connections=4,
            seconds=20.0,
            requests=25,
            expected=['"hello"'],
        )
        assert put_load(load).answers == 25
