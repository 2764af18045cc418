"""Expected failures: an entry covers the failure that was listed, and nothing else."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from hosting_testkit.conformance import (
    Check,
    ItemResult,
    LedgerError,
    Report,
    Selection,
    Terms,
    Verdict,
    catalogue,
    read_level,
    run,
)
from hosting_testkit.conformance.engine import judged
from hosting_testkit.conformance.ledger import Entry, Ledger, propose, read_ledger, short_name
from hosting_testkit.conformance.mutants.stream import TwoTerminals
from hosting_testkit.conformance.reference import RpcDriver

TODAY = datetime.date(2026, 11, 21)
RULE = "HC-STREAM-004"
FAILED = ItemResult(
    rule=RULE,
    variant="http",
    verdict=Verdict.FAIL,
    reason="2 of 3 checks failed: terminal events; events behind",
    checks=[
        Check(name="terminal events", ok=False, expected=1, observed=2),
        Check(name="events behind", ok=False, expected=[], observed=["done"]),
        Check(name="something else", ok=True),
    ],
)
PASSED = ItemResult(rule=RULE, variant="http", verdict=Verdict.PASS)


def entry(**fields: object) -> Entry:
    return Entry(**{"rule": RULE, "reason": "known", **fields})


def judge(result: ItemResult, *entries: Entry, strict: bool = False) -> ItemResult:
    terms = Terms(level=read_level("2026.1"), ledger=Ledger(entries=entries), strict=strict, today=TODAY)
    return judged("rpc", result, terms)


def test_a_listed_failure_is_expected_and_does_not_count() -> None:
    result = judge(FAILED, entry(reason="dedupe comes in 0.4"))
    assert result.verdict is Verdict.EXPECTED_FAIL
    assert not result.bad
    assert "dedupe comes in 0.4" in result.listed


def test_a_listed_rule_that_passes_is_bad() -> None:
    result = judge(PASSED, entry())
    assert result.verdict is Verdict.UNEXPECTED_PASS
    assert result.bad
    assert "remove the entry" in result.reason


def test_a_failure_with_other_words_is_a_new_one() -> None:
    assert judge(FAILED, entry(contains="terminal events: FAILED")).verdict is Verdict.EXPECTED_FAIL
    result = judge(FAILED, entry(contains="ran 2 times"))
    assert result.verdict is Verdict.FAIL
    assert "'ran 2 times'" in result.reason


def test_words_are_found_although_the_text_is_folded() -> None:
    name = "a check whose name is so very long " * 5 + "that it is folded"
    long = ItemResult(
        rule=RULE, variant="http", verdict=Verdict.FAIL, reason="x", checks=[Check(name=name, ok=False)]
    )
    assert judge(long, entry(contains=name)).verdict is Verdict.EXPECTED_FAIL


@pytest.mark.parametrize(("day", "verdict"), [(22, Verdict.EXPECTED_FAIL), (21, Verdict.FAIL)])
def test_an_entry_covers_nothing_from_its_day_on(day: int, verdict: Verdict) -> None:
    result = judge(FAILED, entry(expires=datetime.date(2026, 11, day)))
    assert result.verdict is verdict
    assert ("expired on 2026-11-21" in result.reason) is (verdict is Verdict.FAIL)


def test_an_entry_for_one_check_does_not_cover_the_others() -> None:
    one = judge(FAILED, entry(sub="terminal-events"))
    assert one.verdict is Verdict.FAIL
    assert "does not list events behind" in one.reason
    assert judge(FAILED, entry(sub="terminal-*"), entry(sub="events-behind")).verdict is Verdict.EXPECTED_FAIL
    gone = judge(FAILED, entry(sub="something-else"))
    assert gone.verdict is Verdict.UNEXPECTED_PASS


@pytest.mark.parametrize("verdict", [Verdict.UNPROVEN, Verdict.HARNESS_ERROR, Verdict.INCONCLUSIVE])
def test_what_is_not_a_failure_is_never_swallowed(verdict: Verdict) -> None:
    result = judge(ItemResult(rule=RULE, variant="http", verdict=verdict, reason="x"), entry())
    assert result.verdict is verdict
    assert result.bad


def test_an_entry_for_what_does_not_apply_has_to_go() -> None:
    away = ItemResult(
        rule=RULE, variant="http", verdict=Verdict.NOT_APPLICABLE, reason="streaming impossible"
    )
    assert judge(away, entry()).verdict is Verdict.UNEXPECTED_PASS


def test_an_entry_speaks_of_its_channel_and_transport_only() -> None:
    assert judge(FAILED, entry(variant="webhook")).verdict is Verdict.FAIL
    assert judge(FAILED, entry(channel="other")).verdict is Verdict.FAIL
    assert judge(FAILED, entry(channel="rpc", variant="http")).verdict is Verdict.EXPECTED_FAIL


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


WHOLE = '[[expect]]\nrule = "HC-STREAM-004.one@http"\nreason = "x"\nissue = "#1"\nexpires = 2027-03-01\n'


def test_a_file_is_read_with_sub_check_and_transport_in_the_rule(tmp_path: Path) -> None:
    (found,) = read_ledger(written(tmp_path / "l.toml", WHOLE), strict=True).entries
    assert (found.rule, found.sub, found.variant) == (RULE, "one", "http")
    assert found.expires == datetime.date(2027, 3, 1)
    assert found.id == "HC-STREAM-004.one@http"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[expect", "l.toml"),
        ("[[expect]]\nrule = 'HC-NONE-001'\nreason = 'x'", "not in the catalogue"),
        ("[[expect]]\nrule = 'HC-CAP-001'", "has no reason"),
        (
            "[[expect]]\nrule = 'HC-CAP-001'\nreason = 'x'\nkind = 'meh'",
            "expected one of gap, platform, kit-bug",
        ),
        ("[[expect]]\nrule = 'HC-CAP-001'\nreason = 'x'\nexpires = 'soon'", "expected a date"),
        ("[[expect]]\nrule = 'HC-CAP-001'\nreason = 'x'\nresaon = 'x'", r"unknown fields \['resaon'\]"),
        ("expected = 1", "unknown keys"),
        ("expect = ['x']", r"expected a table \[\[expect\]\]"),
    ],
)
def test_a_file_that_is_not_right_is_refused(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=told):
        read_ledger(written(tmp_path / "l.toml", text))


def test_strict_wants_reason_issue_and_date(tmp_path: Path) -> None:
    path = written(tmp_path / "l.toml", "[[expect]]\nrule = 'HC-CAP-001'\nreason = ''")
    assert read_ledger(path).entries[0].reason == ""
    with pytest.raises(LedgerError, match="strict needs reason, issue, expires for HC-CAP-001"):
        read_ledger(path, strict=True)


def test_an_entry_that_was_never_collected_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "l.toml", "[[expect]]\nrule = 'HC-CAP-001@carrier-pigeon'\nreason = 'x'")
    with pytest.raises(LedgerError, match="never collected"):
        run(RpcDriver, Selection(patterns=["HC-CAP-003"]), terms=Terms.of(RpcDriver(), ledger=path))


def test_proposed_entries_cover_the_failures_once_they_have_a_reason(tmp_path: Path) -> None:
    class Broken(RpcDriver):
        channel_class = TwoTerminals

    selection = Selection(patterns=[RULE])
    before = run(Broken, selection)
    assert before.exit_code == 1
    text = propose(before.channel, before.results)
    path = written(tmp_path / "l.toml", text.replace('reason = ""', 'reason = "later"'))
    after = run(Broken, selection, terms=Terms.of(Broken(), ledger=path))
    assert after.exit_code == 0
    assert after.counts == {Verdict.EXPECTED_FAIL: 1}
    assert propose(after.channel, after.results) == ""


def test_a_should_counts_in_strict_mode_only() -> None:
    should = next(
        id for id, text in catalogue().items() if text.level == "SHOULD" and id in read_level("2026.1").scored
    )
    failed = ItemResult(rule=should, variant="http", verdict=Verdict.FAIL, reason="x", checks=FAILED.checks)
    assert not judge(failed).bad
    assert judge(failed, strict=True).bad
    terms = Terms(level=read_level("2026.1"), today=TODAY)
    report = Report.of(
        RpcDriver(), [judge(failed), PASSED], terms=terms, selection=Selection(patterns=["HC-*"])
    )
    assert report.exit_code == 0
    assert report.advisory == 1


def test_a_short_name_has_no_more_than_letters_digits_and_dashes() -> None:
    assert short_name("the plain answer: `text` of 2 items!") == "the-plain-answer-text-of-2-items"
