"""The suite finds what it is for: every mutant fails the checks that it must, and every check has a mutant."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosting import InMemoryHostStateStore, SqliteHostStateStore
from hosting_testkit.clock import run_virtual
from hosting_testkit.runners import CHECKS
from hosting_testkit.runners.mutants import MUTANTS, MutantHarness
from tests.durable.backends import victim

_PAIRS = [(mutant, check) for mutant in MUTANTS for check in MUTANTS[mutant].kills]


@pytest.mark.parametrize(("mutant", "check"), [pair for pair in _PAIRS if not CHECKS[pair[1]].kills])
def test_a_check_finds_its_mutants(mutant: str, check: str) -> None:
    with pytest.raises(AssertionError):
        run_virtual(CHECKS[check].run, MutantHarness(MUTANTS[mutant], InMemoryHostStateStore()))


@pytest.mark.parametrize(("mutant", "check"), [pair for pair in _PAIRS if CHECKS[pair[1]].kills])
async def test_a_check_that_kills_finds_its_mutants(mutant: str, check: str, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    harness = MutantHarness(MUTANTS[mutant], SqliteHostStateStore(path), victim=victim("sqlite", str(path)))
    with pytest.raises(AssertionError):
        await CHECKS[check].run(harness)


def test_every_check_has_a_mutant() -> None:
    assert {check for _, check in _PAIRS} == set(CHECKS)
