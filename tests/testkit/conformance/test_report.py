"""What a report says: the sum adds up, failures explain themselves, JSON comes back."""

from __future__ import annotations

import json

from hosting_testkit.conformance import Check, ItemResult, Report, Selection, Terms, Verdict, read_level, run
from hosting_testkit.conformance.reference import BotDriver, RpcDriver
from hosting_testkit.conformance.report import (
    failure_text,
    item_to_json,
    read_item,
    render,
    sum_line,
    to_json,
)

FAILED = ItemResult(
    rule="HC-STREAM-004",
    variant="http",
    verdict=Verdict.FAIL,
    reason="1 of 2 checks failed: terminal events",
    checks=[
        Check(name="the plain script completes", ok=True, control=True),
        Check(name="terminal events", ok=False, expected=1, observed=2),
        Check(name="shown safely", ok=False, expected="", observed="\x1b[31mred\u202e"),
    ],
    log=["t=0.000 wire.in POST /kit/rpc"],
    seconds=0.25,
)


def test_the_sum_line_of_a_whole_run_adds_up() -> None:
    report = run(RpcDriver)
    absent, ran = report.counts[Verdict.NOT_APPLICABLE], report.ran
    assert report.in_level == ran + absent == len(read_level("2026.1").scored)
    assert sum_line(report).startswith(
        f"rpc @ 2026.1: {report.in_level} in level = {ran} run + {absent} n/a; {ran} pass, 0 FAIL, 0 unproven; "
    )
    outside = {found.rule for found in report.results if found.reason.startswith("passes; not in level")}
    assert f"provisional {len(outside)}/{len(report.provisional)}" in sum_line(report)


def test_the_sum_line_of_a_part_counts_what_was_left_out() -> None:
    line = sum_line(run(BotDriver, Selection(tier=0, patterns=["HC-SESS-*"])))
    left_out = len(read_level("2026.1").scored) - 3
    assert f"in level = 3 run + 0 n/a + {left_out} deselected; 3 pass" in line


def test_a_rule_with_several_transports_counts_once_by_its_worst() -> None:
    passed = ItemResult(rule=FAILED.rule, variant="ws", verdict=Verdict.PASS)
    selection = Selection(patterns=[FAILED.rule])
    report = Report.of(RpcDriver(), [FAILED, passed], terms=Terms.of(RpcDriver()), selection=selection)
    assert report.counts == {Verdict.FAIL: 1}
    assert report.exit_code == 1


def test_a_failure_tells_rule_reason_observation_and_the_way_back() -> None:
    text = failure_text(FAILED, "rpc")
    for part in (
        "HC-STREAM-004 [MUST] Exactly one terminal event, and nothing after it.",
        "channel rpc, variant http, level 2026.1",
        "why       clients stop reading at the first terminal event",
        "did       the plain script completes: ok",
        "did       terminal events: FAILED",
        "expected  1",
        "observed  2",
        "log       t=0.000 wire.in POST /kit/rpc",
        "rerun     pytest --conformance rpc --conformance-rule HC-STREAM-004",
    ):
        assert part in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_passing_report_is_its_sum_alone() -> None:
    report = run(RpcDriver, Selection(patterns=["HC-CAP-001"]))
    assert render(report) == sum_line(report)


def test_an_item_survives_json() -> None:
    back = read_item(json.loads(json.dumps(item_to_json(FAILED))))
    assert back.verdict is Verdict.FAIL
    assert back.id == FAILED.id
    assert [check.name for check in back.checks] == [check.name for check in FAILED.checks]
    assert item_to_json(back) == item_to_json(FAILED)


def test_the_json_report_holds_every_item_and_its_denominator() -> None:
    document = json.loads(to_json(run(BotDriver, Selection(tier=0))))
    (channel,) = document["channels"]
    assert len(channel["items"]) == 26
    assert channel["totals"]["in_level"] == len(channel["level"]["rules"])
    assert channel["conformant"] is False, "only a part was run"
    assert channel["exit_code"] == 0
    assert "HC-SESS-001@webhook" in channel["capabilities"]["sessions"]["proof"]
    assert channel["capabilities"]["text_limit"]["params"] == BotDriver.capabilities.text_limit.params
