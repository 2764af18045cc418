"""Checks are tested by taking them away: the kill table has to notice (conformance-kit 4.14)."""

from __future__ import annotations

import pytest

from conformance.dead_checks import TABLE, references
from hosting_testkit.conformance import Item, run_item, written_rules
from hosting_testkit.conformance import dead_checks as found_in
from hosting_testkit.conformance.check_table import check_table
from hosting_testkit.conformance.dead_checks import Dead, dead_checks
from hosting_testkit.conformance.excused import EXCUSES, Excuse
from hosting_testkit.conformance.mutants import Mutant
from hosting_testkit.conformance.reference import RpcDriver
from hosting_testkit.conformance.written_checks import by_module, checks_in, checks_of


def test_every_check_of_a_rule_is_needed() -> None:
    own = [str(dead) for dead in dead_checks("HC-STREAM-004", [RpcDriver], ()) if "HC-" in dead.where]
    assert own == []


def test_a_check_that_nothing_needs_is_found() -> None:
    rule = written_rules()["HC-STREAM-001"]
    changed = found_in._changed(rule.body.__module__, [rule], 0, "removed")
    assert changed[0].body is not rule.body
    removed = run_item(RpcDriver, Item(changed[0], "http"))
    assert len(removed.checks) == len(run_item(RpcDriver, Item(rule, "http")).checks) - 1
    assert RpcDriver in references()


def test_a_check_that_no_reference_reaches_is_found_unless_it_is_excused() -> None:
    """Without a reference, none is reached; without a seeded defect, none is needed."""
    found = [dead for dead in dead_checks("HC-ROUTE-002", (), (), seeded=()) if isinstance(dead, Dead)]
    assert {dead.how for dead in found} == {"removed", "negated"}
    excuses = [
        Excuse(where=dead.where, check=dead.check.source, how=dead.how, reason="None.") for dead in found
    ]
    assert list(dead_checks("HC-ROUTE-002", (), excuses, seeded=())) == []


def test_a_pass_over_rules_that_find_nothing_is_refused() -> None:
    """Otherwise each of their checks would seem to be needed."""
    sound = Mutant(id="none", kills={"HC-ROUTE-002": "FAILED"}, driver=RpcDriver, defect="none")
    with pytest.raises(RuntimeError, match="not found although nothing is changed: HC-ROUTE-002 none"):
        list(dead_checks("HC-ROUTE-002", [RpcDriver], (), seeded=[sound]))


@pytest.mark.parametrize("where", ["HC-CAP-001", "cap._nothing"])
def test_an_excuse_that_excuses_nothing_is_reported(where: str) -> None:
    idle = Excuse(where=where, check="no such text", how="removed", reason="None.")
    elsewhere = Excuse(where="HC-STREAM-001", check="no such text", how="removed", reason="None.")
    found = list(dead_checks("HC-CAP-001", [RpcDriver], [idle, elsewhere], seeded=()))
    assert [one for one in found if isinstance(one, Excuse)] == [idle]
    assert "no dead check needs the excuse 'no such text'" in str(idle)


def test_each_excuse_names_one_check_and_a_reason() -> None:
    checks = {check for rule in written_rules().values() for check in checks_of(rule)}
    for excuse in EXCUSES:
        assert sum(excuse.means(check) for check in checks) == 1, excuse
        assert excuse.reason.endswith(".")


def test_a_rule_has_the_checks_of_the_functions_that_it_comes_to() -> None:
    found = {check.where for check in checks_of(written_rules()["HC-ERR-009"])}
    assert found == {"HC-ERR-009", "err_events._acknowledged", "err_events._store_away"}


def test_every_check_belongs_to_a_rule() -> None:
    """A function beside the rules that none of them comes to would be looked through in vain."""
    rules = written_rules().values()
    reached = {check for rule in rules for check in checks_of(rule)}
    written = [check for module, own in by_module(rules).items() for _, check in checks_in(module, own)]
    assert [check for check in written if check not in reached] == []


def test_the_published_table_of_checks_is_what_the_code_says() -> None:
    assert TABLE.read_text(encoding="utf-8") == check_table(), (
        "run: python -m conformance.dead_checks --write"
    )
