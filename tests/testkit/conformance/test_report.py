"""What a report says: the sum adds up, failures explain themselves, JSON comes back."""

from __future__ import annotations

import json
from dataclasses import replace

from hosting_testkit.conformance import Check, ItemResult, Report, Selection, Terms, Verdict, read_level, run
from hosting_testkit.conformance.reference import BotDriver, RpcDriver
from hosting_testkit.conformance.report import (
    failure_text,
    followers,
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
    assert report.in_level == ran + absent == len(read_level("2026.3").scored)
    assert sum_line(report).startswith(
        f"rpc @ 2026.3: {report.in_level} in level = {ran} run + {absent} n/a; {ran} pass, 0 FAIL, 0 unproven; "
    )
    outside = {found.rule for found in report.results if found.reason.startswith("passes; not in level")}
    assert f"provisional {len(outside)}/{len(report.provisional)}" in sum_line(report)


def test_the_sum_line_of_a_part_counts_what_was_left_out() -> None:
    line = sum_line(run(BotDriver, Selection(tier=0, patterns=["HC-SESS-*"])))
    left_out = len(read_level("2026.3").scored) - 3
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


def test_of_two_long_texts_the_first_difference_is_shown() -> None:
    long = "".join(chr(0x1F600 + number % 64) for number in range(5_000))
    cut = Check(name="the parts joined", ok=False, expected=long, observed=f"{long[:3_000]}{long[3_001:]}")
    text = failure_text(replace(FAILED, checks=[cut]), "rpc")
    assert f"{long[2_980:3_000]}{long[3_001]}" in text
    assert "(the first difference is at 3000 of 5000 characters)" in " ".join(text.split())
    assert len(text) < 1_500


def test_what_follows_is_named_in_one_line() -> None:
    selection = Selection(patterns=["HC-LIFE-001", "HC-STREAM-00[45]"])
    results = [
        replace(FAILED, rule="HC-LIFE-001"),
        *(
            replace(FAILED, rule=rule, verdict=Verdict.UNPROVEN, reason=f"control of {rule}", checks=[])
            for rule in ("HC-STREAM-004", "HC-STREAM-005")
        ),
    ]
    report = Report.of(RpcDriver(), results, terms=Terms.of(RpcDriver()), selection=selection)
    assert followers(report) == [
        "  mend HC-LIFE-001@http first: HC-STREAM-004@http, HC-STREAM-005@http probably follow"
    ]


def test_nothing_follows_from_itself_by_a_roundabout_way() -> None:
    """The rule that all build on ended as one before it did."""
    rules = ("HC-CONTRIB-001", "HC-CAP-001", "HC-LIFE-001")
    unproven = replace(FAILED, verdict=Verdict.UNPROVEN, reason="control failed", checks=[])
    results = [replace(unproven, rule=rule) for rule in rules]
    selection = Selection(patterns=rules)
    report = Report.of(RpcDriver(), results, terms=Terms.of(RpcDriver()), selection=selection)
    causes = {result.rule: result.cause for result in report.results}
    assert causes["HC-CAP-001"] == ""
    assert causes["HC-LIFE-001"] == causes["HC-CONTRIB-001"] == "HC-CAP-001@http"


def test_what_failed_and_does_not_count_is_named_below_the_sum() -> None:
    selection = Selection(patterns=["HC-STREAM-004", "HC-CANCEL-006", "HC-ERR-010"])
    level = read_level("2026.1")
    should = replace(FAILED, rule="HC-CANCEL-006", reason="", checks=[Check(name="turn: a task", ok=False)])
    outside = replace(FAILED, rule="HC-ERR-010", reason="hung", checks=[])
    terms = replace(Terms.of(RpcDriver()), level=level)
    results = [terms.judge("rpc", one, lambda found: "") for one in (FAILED, should, outside)]
    text = render(Report.of(RpcDriver(), results, terms=terms, selection=selection))
    sum_of_all, *below = text.split("\n\n")[-1].splitlines()
    assert "2 FAIL, 0 unproven, 1 of these only SHOULD" in sum_of_all
    assert below == [
        "  HC-CANCEL-006@http [SHOULD] failed: turn: a task",
        "  HC-ERR-010@http [MUST, provisional] failed: not in level 2026.1; ended fail: hung",
    ]


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
