"""Every runner passes one suite (contract 11; `hosting_testkit.runners`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosting_testkit.clock import run_virtual
from hosting_testkit.runners import CHECKS, Check
from tests.durable.backends import BACKENDS

in_memory = [check for check in CHECKS.values() if not check.kills]
"""A store in memory dies with its process, so nobody is left there to take over."""


@pytest.mark.parametrize("check", in_memory, ids=lambda check: check.name)
def test_in_memory(check: Check) -> None:
    run_virtual(check.run, BACKENDS["memory"]())


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.name)
async def test_on_sqlite(check: Check, tmp_path: Path) -> None:
    await check.run(BACKENDS["sqlite"](str(tmp_path / "state.db")))


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.name)
async def test_on_postgres(check: Check, schema: str) -> None:
    await check.run(BACKENDS["postgres"](schema))


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.name)
async def test_on_procrastinate(check: Check, schema: str) -> None:
    await check.run(BACKENDS["procrastinate"](schema))
