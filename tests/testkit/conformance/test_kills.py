"""Every rule finds the defects that it is for, for the right reason (conformance-kit 4.14)."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosting_testkit.conformance import Selection, Verdict, items_of, run_item, written_rules
from hosting_testkit.conformance.kill import kill, kill_table, not_seeded
from hosting_testkit.conformance.mutants import Mutant, mutant, mutants
from hosting_testkit.conformance.reference import RpcChannel
from hosting_testkit.conformance.registry import UnknownRule

MUTANTS = mutants()
IDS = [f"{mutant.id}-{mutant.driver.name}" for mutant in MUTANTS]
TABLE = Path(__file__).parents[3] / "conformance" / "KILLS.md"


@pytest.mark.parametrize("mutant", MUTANTS, ids=IDS)
def test_a_mutant_is_found_by_each_of_its_rules_in_the_words_that_name_it(mutant: Mutant) -> None:
    for outcome in kill(mutant):
        assert outcome.killed, (
            f"{outcome.rule} says {outcome.verdict}, expected {outcome.phrase!r} in\n{outcome.text}"
        )


@pytest.mark.parametrize(
    "mutant", [m for m in MUTANTS if m.answers], ids=[m.id for m in MUTANTS if m.answers]
)
def test_a_mutant_still_answers_an_ordinary_turn(mutant: Mutant) -> None:
    (item,) = items_of(mutant.driver, Selection(patterns=["HC-CAP-001"]))
    assert run_item(mutant.driver, item).verdict is Verdict.PASS


def test_every_defect_of_a_rule_in_the_score_is_seeded() -> None:
    assert {rule for rule, _ in not_seeded() if not written_rules()[rule].provisional} == set()


def test_the_published_kill_table_is_what_the_code_says() -> None:
    assert TABLE.read_text(encoding="utf-8") == kill_table(), "run: python -m conformance.kills"


def test_a_defect_that_the_catalogue_does_not_know_is_refused() -> None:
    with pytest.raises(UnknownRule, match="say what is broken"):
        mutant("no-such-defect", kills={"HC-CAP-001": "x"})(RpcChannel)
    with pytest.raises(UnknownRule, match=r"not listed as killed by \['HC-CAP-003'\]"):
        mutant("canned-reply", kills={"HC-CAP-003": "x"})(RpcChannel)
