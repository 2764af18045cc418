"""The reference channels keep every rule: what they fail would be the kit's own mistake (conformance-kit 4.14)."""

from __future__ import annotations

import pytest

from hosting_testkit.conformance import (
    Item,
    Report,
    Selection,
    Terms,
    Verdict,
    items_of,
    run,
    run_item,
    written_rules,
)
from hosting_testkit.conformance.engine import standing_of
from hosting_testkit.conformance.reference import REFERENCES, SPECIAL, RpcDriver
from hosting_testkit.conformance.report import render, to_json
from hosting_testkit.drivers import ChannelDriver

CASES = [(driver, item) for driver in REFERENCES for item in items_of(driver, Selection())]


@pytest.mark.parametrize(
    ("driver", "item"), CASES, ids=[f"{driver.name}-{item.id}" for driver, item in CASES]
)
def test_a_reference_passes_or_says_why_a_rule_does_not_apply(
    driver: type[ChannelDriver], item: Item
) -> None:
    result = run_item(driver, item)
    report = Report.of(driver(), [result], terms=Terms.of(driver()), selection=Selection())
    assert result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.PROVISIONAL), render(report)
    assert result.verdict is Verdict.PASS or result.reason


def test_every_rule_in_the_score_runs_on_some_reference() -> None:
    """And so passes there: every item that runs has a test of its own above, or in `test_fetching` or `test_background_reference`."""
    special = [(driver, item) for driver in SPECIAL for item in items_of(driver, Selection())]
    runs = {item.rule.id for driver, item in (*CASES, *special) if standing_of(item, driver()) is None}
    in_the_score = {
        id for id, rule in written_rules().items() if rule.text.in_tier(1) and not rule.provisional
    }
    assert in_the_score <= runs


def test_two_runs_give_the_same_report_apart_from_real_seconds() -> None:
    def stable(report: Report) -> str:
        lines = to_json(report).splitlines()
        return "\n".join(line for line in lines if '"seconds"' not in line and '"summary"' not in line)

    assert stable(run(RpcDriver, seed=1)) == stable(run(RpcDriver, seed=1))


def test_a_rule_body_neither_skips_nor_sleeps_nor_asks_for_a_name() -> None:
    for rule in written_rules().values():
        names = set(rule.body.__code__.co_names)
        assert not names & {"skip", "sleep"}, rule.id
        assert not {"rpc", "bot", "telegram", "responses"} & set(map(str, rule.body.__code__.co_consts)), (
            rule.id
        )
