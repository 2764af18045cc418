"""The likely cause of a failure is told from the failures of seeded defects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.kills import keys_of
from hosting_testkit.conformance import Check, ItemResult, Verdict
from hosting_testkit.conformance.kill import kill
from hosting_testkit.conformance.mutants import mutants
from hosting_testkit.conformance.report import failure_text
from hosting_testkit.conformance.signatures import nearest, signatures, traits

SAMPLE = [next(m for m in mutants() if m.id == id) for id in ("two-terminals", "hardcoded-path", "leak-task")]


def test_every_row_of_the_kill_table_has_its_signature() -> None:
    expected = {key for mutant in mutants() for key in keys_of(mutant)}
    assert {row.key for row in signatures()} == expected, "run: python -m conformance.kills"


@pytest.mark.parametrize("mutant", SAMPLE, ids=[mutant.id for mutant in SAMPLE])
def test_a_defect_is_recognised_by_what_its_failure_looks_like(mutant: object) -> None:
    for outcome in kill(mutant):  # type: ignore[arg-type]
        like = nearest(outcome.result)
        assert like is not None
        assert like.mutant == outcome.mutant.id
        assert (outcome.signature.checks, outcome.signature.words) == traits(outcome.result)
        kept = next(row for row in signatures() if row.key == outcome.signature.key)
        assert list(kept.checks) == list(outcome.signature.checks), "run: python -m conformance.kills --all"


def test_a_failure_that_looks_like_none_is_not_explained() -> None:
    odd = ItemResult(
        rule="HC-STREAM-004",
        variant="http",
        verdict=Verdict.FAIL,
        reason="1 of 1 checks failed: the moon",
        checks=[Check(name="the moon", ok=False, expected="full", observed="new")],
    )
    assert nearest(odd) is None
    assert "likely" not in failure_text(odd, "rpc")
    (row,) = [row for row in signatures() if row.rule == "HC-STREAM-004" and row.mutant == "two-terminals"]
    checks = [Check(name=name, ok=False) for name in row.checks]
    alike = replace(odd, checks=checks, reason=" ".join(row.words))
    assert "compare mutant two-terminals" in failure_text(alike, "rpc")


def test_defects_that_a_failure_looks_alike_to_are_all_named() -> None:
    outcomes = [outcome for m in mutants() if m.id == "own-body-limit" for outcome in kill(m)]
    (text,) = [failure_text(outcome.result, "rpc") for outcome in outcomes if outcome.rule == "HC-ERR-003"]
    told = " ".join(text.split())
    assert "(compare mutant own-body-limit), or " in told
    assert "(compare mutant reads-all)" in told
