"""The table of statements fits any engine with named parameters, and nothing in it is unused."""

from __future__ import annotations

import inspect
import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from hosting.state import Statement, ping, signal, tables
from hosting.state.database import connect
from hosting.state.schema import migrations_after
from hosting.state.statements import statement_texts


def every_statement() -> dict[str, Statement]:
    """One call of each function of `hosting.state.tables` that makes statements, by statement name."""
    made = {"store.ping": ping(), "store.signal": signal("topic")}
    for module in (getattr(tables, name) for name in tables.__all__):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != module.__name__ or name.startswith(("read_", "_")):
                continue
            for descending in (False, True):
                made |= {statement.name: statement for statement in _call(function, descending)}
    return made


def _call(function: Callable[..., Any], descending: bool) -> list[Statement]:
    values: dict[str, object] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = str(parameter.annotation)
        values[name] = {"Sequence[str]": ["{}"], "bool": descending, "int": 1}.get(
            kind, 1 if "int" in kind else "x"
        )
    made = function(**values)
    if isinstance(made, str):
        return []
    if isinstance(made, Statement):
        return [made]
    return [
        item
        for part in made
        for item in (part if isinstance(part, list) else [part])
        if isinstance(item, Statement)
    ]


def test_every_text_has_a_function_and_every_function_a_text() -> None:
    assert set(every_statement()) == set(statement_texts())


def test_a_function_fills_in_exactly_the_parameters_of_its_text() -> None:
    texts = statement_texts()
    for name, statement in every_statement().items():
        assert set(re.findall(r"(?<!:):([a-z_]+)", texts[name].sql)) == set(statement.params), name


def test_an_engine_with_row_locks_gets_its_clause_where_work_is_taken() -> None:
    texts = statement_texts(skip_locked="FOR UPDATE SKIP LOCKED")
    locking = {name for name, text in texts.items() if "SKIP LOCKED" in text.sql}
    assert locking >= {"events.take", "outbox.take", "tasks.take"}
    assert not any("{" in text.sql for text in texts.values())


def test_reads_and_writes_are_told_apart() -> None:
    texts = statement_texts()
    assert texts["history.load"][1:] == (True, True)
    assert texts["sessions.save"][1:] == (False, False)
    assert texts["events.take"][1:] == (True, False)
    assert texts["history.expire"][1:] == (True, False)


@pytest.mark.parametrize(
    "name",
    [
        "events.take",
        "events.expire",
        "history.load",
        "history.expire",
        "outbox.take",
        "outbox.load_stuck",
        "outbox.next_due",
        "records.scan_up",
        "records.expire",
        "sessions.load",
        "sessions.expire",
        "snapshots.expire",
        "turns.load_by_delivery",
        "turns.load_cut_off",
        "turns.expire",
    ],
)
def test_what_runs_often_uses_an_index_however_many_rows_there_are(name: str) -> None:
    database = connect(":memory:", busy_timeout=0)
    try:
        for text in migrations_after(0, serial="INTEGER PRIMARY KEY AUTOINCREMENT"):
            database.execute(text)
        plan = [row[3] for row in _explain(database, name)]
    finally:
        database.close()
    whole = {step.removeprefix("SCAN ") for step in plan if step.startswith("SCAN") and "USING" not in step}
    assert whole <= {"c", "u", "chain", "unused", "history_ends", "CONSTANT ROW"}, plan


def _explain(database: sqlite3.Connection, name: str) -> list[tuple[int, int, int, str]]:
    params = dict.fromkeys(re.findall(r":([a-z_]+)", statement_texts()[name].sql), 1)
    return database.execute(f"EXPLAIN QUERY PLAN {statement_texts()[name].sql}", params).fetchall()
