"""Reports in every format: they hold what happened, need nothing else, and give no secret away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hosting_testkit.conformance import Check, ItemResult, Report, Selection, Terms, Verdict, run
from hosting_testkit.conformance.cascade import with_causes
from hosting_testkit.conformance.masking import Mask
from hosting_testkit.conformance.model import WireRecord
from hosting_testkit.conformance.mutants.stream import TwoTerminals
from hosting_testkit.conformance.reference import RpcDriver
from hosting_testkit.conformance.report import (
    NoBadge,
    Output,
    UnknownFormat,
    badge_of,
    scripts,
    to_har,
    to_html,
    to_json,
    to_junit,
    to_markdown,
    to_sarif,
)
from hosting_testkit.conformance.report.compare import diff, matrix
from hosting_testkit.conformance.signatures import diagnosis

STREAM = Selection(patterns=["HC-STREAM-00[14]", "HC-TEXT-001", "HC-PUSH-001"])
WRITERS = (to_json, to_html, to_junit, to_har, to_markdown, to_sarif)


class Broken(RpcDriver):
    channel_class = TwoTerminals


@pytest.fixture(scope="module")
def broken() -> Report:
    return run(Broken, STREAM, seed=1)


@pytest.fixture(scope="module")
def whole() -> Report:
    """A whole run that passed, made up: a real one takes seconds."""
    terms = Terms.of(RpcDriver())
    results = [ItemResult(rule=id, variant="http", verdict=Verdict.PASS) for id in terms.level.scored]
    return Report.of(RpcDriver(), results, terms=terms, selection=Selection())


def test_markdown_tells_sum_failures_and_what_does_not_apply(broken: Report) -> None:
    text = to_markdown(broken)
    assert "## rpc: NOT CONFORMANT" in text
    assert "<b>HC-STREAM-004@http</b> fail" in text
    assert "Does not apply (1)" in text
    assert "| HC-TEXT-001@http | text_limit impossible" in text


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, str] = {}
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "details" and found.get("class") == "item":
            self.items[found["id"] or ""] = found["data-verdict"] or ""
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_one_file_with_every_item_and_its_story(broken: Report) -> None:
    page = _Page()
    text = to_html(broken)
    page.feed(text)
    assert page.items["rpc-HC-STREAM-004@http"] == "fail"
    assert page.items["rpc-HC-STREAM-001@http"] == "pass"
    assert page.loaded == []
    assert "default-src &#x27;none&#x27;" in text or "default-src 'none'" in text
    assert not re.search(r"https?://(?!127\.0\.0\.1)", text.replace("http://www.w3.org", ""))
    assert text.count("What happened, in virtual time") == 2, "the passing item too"


def test_the_page_shows_hostile_texts_as_texts(broken: Report) -> None:
    evil = replace(
        broken.results[0], reason="<script>alert(1)</script>", checks=[Check(name="<img src=x>", ok=False)]
    )
    text = to_html(replace(broken, results=[evil]))
    assert "<script>alert" not in text
    assert "<img" not in text


def test_junit_carries_verdict_and_properties(broken: Report) -> None:
    (suite,) = ElementTree.fromstring(to_junit(broken))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "2")
    case = next(case for case in suite if case.get("name") == "HC-STREAM-004@http")
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert properties == {
        "channel": "rpc", "rule": "HC-STREAM-004", "binding": "MUST", "tier": "1", "area": "STREAM",
        "capability": "streaming", "variant": "http", "verdict": "fail", "level": "2026.3",
    }  # fmt: skip
    assert "Exactly one terminal event" in (case.findtext("failure") or "")


def test_junit_stands_characters_that_xml_has_not(broken: Report) -> None:
    odd = replace(broken.results[0], verdict=Verdict.FAIL, reason="a\x00b\ud800c")
    ElementTree.fromstring(to_junit(replace(broken, results=[odd])))


def test_the_archive_holds_each_exchange_with_its_virtual_time(broken: Report) -> None:
    log = json.loads(to_har(broken))["log"]
    entries = [entry for entry in log["entries"] if entry["pageref"] == "rpc::HC-STREAM-004@http"]
    assert len(entries) == 3
    assert [entry["response"]["status"] for entry in entries] == [200, 200, 200]
    assert "event: done" in entries[0]["response"]["content"]["text"]
    assert entries[1]["startedDateTime"] > entries[0]["startedDateTime"]


def test_sarif_points_at_the_endpoint(broken: Report) -> None:
    (found,) = json.loads(to_sarif(broken))["runs"][0]["results"]
    assert found["ruleId"] == "HC-STREAM-004"
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("reference/rpc.py")
    assert not place["artifactLocation"]["uri"].startswith("/")
    assert place["region"]["startLine"] > 1


def test_a_script_runs_one_failure_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from hosting_testkit.conformance.mutants.stream import TwoTerminals\n"
        "from hosting_testkit.conformance.reference import RpcDriver\n"
        "class Driver(RpcDriver):\n    channel_class = TwoTerminals\n"
    )
    ((name, text),) = scripts(run(Broken, STREAM), address="mine:Driver").items()
    assert name == "rpc_HC-STREAM-004_http.py"
    (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, name], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "HC-STREAM-004 [MUST]" in done.stdout
    assert "wire      t=0.000 #1 request POST /kit/rpc" in done.stdout


def test_a_whole_green_run_has_a_green_badge_with_its_numbers(whole: Report) -> None:
    badge = badge_of(whole)
    assert (badge.label, badge.color) == ("conformance 2026.3", "brightgreen")
    assert badge.message == f"{whole.in_level}/{whole.in_level}"
    assert json.loads(badge.to_json())["schemaVersion"] == 1
    ElementTree.fromstring(badge.to_svg())


def test_ledger_entries_make_it_amber_and_failures_red(whole: Report) -> None:
    def with_first(verdict: Verdict) -> Report:
        at = next(n for n, result in enumerate(whole.results) if result.rule == "HC-STREAM-004")
        results = list(whole.results)
        results[at] = replace(results[at], verdict=verdict)
        return replace(whole, results=results)

    known = badge_of(with_first(Verdict.EXPECTED_FAIL))
    assert known.color == "orange"
    assert known.message.endswith(" +1 known")
    assert badge_of(with_first(Verdict.FAIL)).color == "red"
    assert badge_of(with_first(Verdict.UNPROVEN)).color == "red"
    assert badge_of(replace(whole, profile="custom")).color == "lightgrey"


@pytest.mark.parametrize("rule", ["HC-CAP-001", "HC-CAP-003"])
def test_a_channel_whose_word_is_not_good_has_no_badge(whole: Report, rule: str) -> None:
    results = [replace(r, verdict=Verdict.FAIL) if r.rule == rule else r for r in whole.results]
    with pytest.raises(NoBadge, match=rule):
        badge_of(replace(whole, results=results))


def test_a_part_or_a_vacuous_run_has_no_badge(whole: Report) -> None:
    with pytest.raises(NoBadge, match="only a part"):
        badge_of(replace(whole, selection=STREAM))
    with pytest.raises(NoBadge, match="did not run"):
        badge_of(replace(whole, results=whole.results[:5]))


def test_outputs_are_written_where_asked_and_an_old_badge_does_not_stay(
    tmp_path: Path, whole: Report, broken: Report
) -> None:
    output = Output.parse(f"badge={tmp_path}/out/badge.svg")
    assert output.write([whole]) == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["badge.json", "badge.svg"]
    assert output.write([broken]) == ["no badge: rpc: only a part was run; a badge needs the whole level"]
    assert list((tmp_path / "out").iterdir()) == []
    assert Output.parse("md").path == Path("conformance.md")
    for wrong in ("pdf", "json=", "=x"):
        with pytest.raises(UnknownFormat, match="expected FMT"):
            Output.parse(wrong)


def test_equal_runs_in_another_order_are_equal_but_for_their_seconds() -> None:
    def stable(report: Report) -> list[str]:
        lines = to_json(report).splitlines()
        return [line for line in lines if '"seconds"' not in line and '"summary"' not in line]

    first = run(Broken, STREAM, seed=5)
    again = run(Broken, STREAM, seed=5)
    turned = Report.of(
        Broken(), list(reversed(again.results)), terms=Terms.of(Broken()), selection=STREAM, seed=5
    )
    assert stable(first) == stable(turned)


def test_no_secret_and_no_nonce_stands_in_any_report() -> None:
    seen: list[str] = []

    class Watched(Broken):
        def make(self, env: object) -> object:
            channel = super().make(env)  # type: ignore[arg-type]
            seen.extend(self.env.secrets.values())
            return channel

    report = run(Watched, STREAM)
    assert len(seen) > 4
    for writer in WRITERS:
        text = writer(report)
        assert not [secret for secret in seen if secret in text], writer.__name__
        assert not re.search(r"\bn[0-9a-f]{16}\b", text), writer.__name__


def test_a_mask_knows_a_secret_in_other_forms() -> None:
    mask = Mask({"sw0rd/fish+and=more": "bot"}, ["nonce-text"])
    text = mask.text(
        "sw0rd/fish+and=more sw0rd%2Ffish%2Band%3Dmore c3cwcmQvZmlzaCthbmQ9bW9yZQ== nonce-text 0123456789abcdef"
    )
    assert text == "<secret bot> <secret bot> <secret bot> <nonce 1> <id 1>"


def test_headers_that_carry_credentials_are_never_shown() -> None:
    record = WireRecord(
        at=0,
        connection=1,
        side="channel",
        kind="request",
        headers=[("Authorization", "Basic x"), ("accept", "y")],
    )
    result = ItemResult(rule="HC-CAP-001", variant="http", verdict=Verdict.PASS, wire=[record])
    (masked,) = Mask({}).result(result).wire
    assert masked.headers == (("Authorization", "<masked>"), ("accept", "y"))


def test_a_difference_names_what_changed(broken: Report) -> None:
    fixed = run(RpcDriver, STREAM)
    text = diff(json.loads(to_json(broken)), json.loads(to_json(fixed)))
    assert "| HC-STREAM-004@http | fail | pass |" in text
    assert "HC-STREAM-001" not in text
    assert "No verdict changed" in diff(json.loads(to_json(fixed)), json.loads(to_json(fixed)))


def test_a_matrix_has_a_column_for_each_channel_and_footnotes(broken: Report) -> None:
    other = replace(broken, channel="other")
    text = matrix([json.loads(to_json(broken)), json.loads(to_json(other))])
    assert "| capability | rpc | other |" in text
    assert "| STREAM | 1/2 | 1/2 |" in text
    note = re.search(r"\| text_limit \| no \[(\d+)\] \|", text)
    assert note is not None
    assert f"\n{note[1]}. text_limit: " in text


def test_what_follows_from_a_broken_root_is_grouped_under_it() -> None:
    class Mute(RpcDriver):
        def reply(self, body: object) -> list[object]:
            return []

    report = run(Mute, Selection(tier=0))
    roots = [result.id for result in report.bad if not result.cause]
    followers = [result for result in report.bad if result.cause]
    assert "HC-CAP-001@http" in {result.cause for result in followers}
    assert len(followers) > len(roots)


def test_what_ended_unproven_after_a_failed_check_has_a_cause_too() -> None:
    broken = (Check(name="seen", ok=False), Check(name="the ordinary case", ok=False, control=True))
    results = [
        ItemResult(rule="HC-CAP-001", variant="http", verdict=Verdict.FAIL, checks=broken[:1]),
        ItemResult(rule="HC-STREAM-004", variant="http", verdict=Verdict.UNPROVEN, checks=broken),
    ]
    assert [result.cause for result in with_causes(results)] == ["", "HC-CAP-001@http"]


def test_a_diagnosis_says_how_sure_it_is(broken: Report) -> None:
    (failed,) = [result for result in broken.results if result.verdict is Verdict.FAIL]
    sure, told = diagnosis(failed) or ("", "")
    assert (sure, told) == ("likely", "sends completed after failed (compare mutant two-terminals)")
    other = replace(failed, checks=[replace(check, expected="", observed="") for check in failed.checks])
    assert (diagnosis(replace(other, reason="")) or ("",))[0] == "perhaps"
    assert diagnosis(replace(failed, verdict=Verdict.UNPROVEN)) is None
