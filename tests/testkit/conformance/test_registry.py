"""Texts and bodies of rules are checked both ways."""

from __future__ import annotations

import pytest

from hosting import CONTRACT
from hosting_testkit.conformance import (
    Kit,
    Selection,
    UnknownRule,
    Verdict,
    catalogue,
    items_of,
    rule,
    run_item,
    written_rules,
)
from hosting_testkit.conformance.reference import EditBotDriver
from hosting_testkit.conformance.registry import contract_level, defects


async def _body(k: Kit) -> None: ...


def test_the_catalogue_holds_the_whole_contract_and_names_every_defect() -> None:
    assert contract_level() == CONTRACT
    assert len(catalogue()) == 251
    assert sum(text.smoke for text in catalogue().values()) == 26
    listed = {(id, mutant) for id, text in catalogue().items() for mutant in text.mutants}
    killed = {(id, mutant) for mutant, (_, kills) in defects().items() for id in kills}
    assert listed == killed


def test_every_smoke_rule_has_a_body_with_a_reason_and_a_docstring() -> None:
    written = written_rules()
    assert {id for id, text in catalogue().items() if text.smoke} <= written.keys()
    for found in written.values():
        assert found.why
        assert found.body.__doc__


def test_a_body_with_an_unknown_id_is_refused() -> None:
    with pytest.raises(UnknownRule, match="HC-NONE-001 is not in the catalogue"):
        rule("HC-NONE-001", why="x")


def test_a_second_body_is_refused() -> None:
    written_rules()
    with pytest.raises(ValueError, match="two bodies"):
        rule("HC-CAP-001", why="x")(_body)


def test_an_unknown_capability_is_refused() -> None:
    with pytest.raises(UnknownRule, match="telepathy"):
        rule("HC-CAP-002", needs=["telepathy"], why="x")


def test_a_rule_does_not_apply_where_a_claim_rules_it_out() -> None:
    with pytest.raises(UnknownRule, match="telepathy"):
        rule("HC-CAP-002", unless=["telepathy"], why="x")
    (item,) = items_of(EditBotDriver, Selection(patterns=["HC-CANCEL-001"]))
    result = run_item(EditBotDriver, item)
    assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, "edits supported")


def test_a_selection_takes_globs_and_refuses_what_matches_nothing() -> None:
    assert [r.id for r in Selection(tier=0, patterns=["HC-ROUTE-*"]).rules()] == [
        "HC-ROUTE-001",
        "HC-ROUTE-003",
    ]
    assert {r.text.area for r in Selection(areas=["AUTH", "ERR"]).rules()} == {"AUTH", "ERR"}
    with pytest.raises(UnknownRule, match=r"no area \['TYPO'\]"):
        Selection(areas=["TYPO"]).rules()
    with pytest.raises(UnknownRule, match="HC-TYPO"):
        Selection(patterns=["HC-ROUTE-*", "HC-TYPO-001"]).rules()
    with pytest.raises(UnknownRule, match="no rule that is written"):
        Selection(tier=0, patterns=["HC-CAP-006"]).rules()
