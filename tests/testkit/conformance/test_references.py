"""The reference channels keep every rule: what they fail would be the kit's own mistake (conformance-kit 4.14)."""

from __future__ import annotations

import pytest

from hosting_testkit.conformance import (
    Item,
    Report,
    Selection,
    Verdict,
    catalogue,
    items_of,
    run,
    run_item,
    written_rules,
)
from hosting_testkit.conformance.reference import BotDriver, RpcDriver
from hosting_testkit.conformance.report import render, to_json
from hosting_testkit.drivers import ChannelDriver

REFERENCES: tuple[type[ChannelDriver], ...] = (RpcDriver, BotDriver)
CASES = [(driver, item) for driver in REFERENCES for item in items_of(driver, Selection())]


@pytest.mark.parametrize(
    ("driver", "item"), CASES, ids=[f"{driver.name}-{item.id}" for driver, item in CASES]
)
def test_a_reference_passes_or_says_why_a_rule_does_not_apply(
    driver: type[ChannelDriver], item: Item
) -> None:
    result = run_item(driver, item)
    report = Report.of(driver(), [result], tier=1)
    assert result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.PROVISIONAL), render(report)
    assert result.verdict is Verdict.PASS or result.reason


def test_every_smoke_rule_in_the_score_passes_on_some_reference() -> None:
    passed = {
        result.rule
        for driver in REFERENCES
        for result in run(driver).results
        if result.verdict is Verdict.PASS
    }
    expected = {id for id, text in catalogue().items() if text.smoke and not written_rules()[id].provisional}
    assert passed == expected


def test_two_runs_give_the_same_report_apart_from_real_seconds() -> None:
    def stable(report: Report) -> str:
        lines = to_json(report).splitlines()
        return "\n".join(line for line in lines if '"seconds"' not in line and '"summary"' not in line)

    assert stable(run(BotDriver)) == stable(run(BotDriver))


def test_a_rule_body_neither_skips_nor_sleeps_nor_asks_for_a_name() -> None:
    for rule in written_rules().values():
        names = set(rule.body.__code__.co_names)
        assert not names & {"skip", "sleep"}, rule.id
        assert not {"rpc", "bot", "telegram", "responses"} & set(map(str, rule.body.__code__.co_consts)), (
            rule.id
        )
