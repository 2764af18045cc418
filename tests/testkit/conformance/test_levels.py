"""Levels: frozen lists with a hash, and what is outside of them."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.freeze import Frozen, freeze, level_file
from conformance.freeze import main as freeze_main
from hosting import CONTRACT
from hosting_testkit.conformance import (
    ItemResult,
    Level,
    Report,
    Selection,
    Terms,
    UnknownLevel,
    Verdict,
    read_level,
    run,
    written_rules,
)
from hosting_testkit.conformance.engine import judged
from hosting_testkit.conformance.levels import FrozenDiffers, check_frozen, digest, level, levels, newest_for
from hosting_testkit.conformance.reference import RpcDriver
from hosting_testkit.drivers import UNKNOWN
from hosting_testkit.drivers.capabilities import PROFILES

IDS = ["HC-CAP-001", "HC-CAP-003"]
OWN = Level(name="1.0", contract="1.0", rules=frozenset(IDS), sha256=digest(IDS), excluded={})


def terms(level: Level) -> Terms:
    return replace(Terms.of(RpcDriver()), level=level)


def test_every_level_names_the_contract_and_only_rules_that_can_run() -> None:
    for name in [*levels(), "next"]:
        found = read_level(name)
        assert found.contract == CONTRACT
        assert found.scored
        assert {id for id in found.scored if id not in written_rules()} == set()


def test_a_frozen_level_is_what_was_published() -> None:
    for name in levels():
        if read_level(name).frozen:
            check_frozen(name)


def test_a_level_that_is_not_frozen_says_so() -> None:
    with pytest.raises(FrozenDiffers, match="not frozen yet"):
        check_frozen("next")


def test_the_hash_does_not_depend_on_the_order() -> None:
    assert digest(IDS) == digest(reversed(IDS)) != digest(IDS[:1])


@pytest.mark.parametrize(
    ("supported", "found"),
    [
        ("", "2026.3"),
        (">=2026.1,<2027", "2026.3"),
        ("==2026.1", "2026.1"),
        ("<2026.2", "2026.1"),
        (">2026.1,<2026.2", ""),
        ("<2026", ""),
    ],
)
def test_a_driver_names_a_range_of_levels(supported: str, found: str) -> None:
    if found:
        assert newest_for(supported) == found
        assert levels() == ["2026.1", "2026.2", "2026.3"]
    else:
        with pytest.raises(UnknownLevel, match=re.escape(repr(supported))):
            newest_for(supported)


def test_what_is_no_range_or_no_level_is_refused() -> None:
    with pytest.raises(UnknownLevel, match="is no range"):
        newest_for("newest")
    with pytest.raises(UnknownLevel, match=r"known are 2026\.1, 2026\.2, 2026\.3, next"):
        read_level("2025.9")


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A folder with a level that was frozen there; the kit reads it."""
    freeze("2026.1", tmp_path, tmp_path / "LEVELS.md", again=True)
    monkeypatch.setattr(level, "files", lambda package: tmp_path)
    for cached in (level._files, level.read_level):
        cached.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    for cached in (level._files, level.read_level):
        cached.cache_clear()


def test_freezing_writes_list_hash_and_table(frozen: Path) -> None:
    found = read_level("2026.1")
    assert found.rules == {id for id, rule in written_rules().items() if not rule.provisional}
    assert check_frozen("2026.1") == found.sha256
    assert found.sha256 in (frozen / "LEVELS.md").read_text()


def test_a_frozen_level_is_not_changed_unless_it_is_not_out(
    frozen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Frozen, match="--before-release"):
        freeze("2026.1", frozen, frozen / "LEVELS.md")
    assert freeze_main(["2026.1"]) == 2
    assert "is frozen" in capsys.readouterr().err
    assert freeze("2026.1", frozen, frozen / "LEVELS.md", again=True) == read_level("2026.1").sha256


def test_a_changed_level_file_is_found(frozen: Path) -> None:
    path = frozen / "2026.1.toml"
    path.write_text(path.read_text().replace('    "HC-CAP-001",\n', ""))
    for cached in (level._files, level.read_level):
        cached.cache_clear()
    with pytest.raises(FrozenDiffers, match="the hash in its own file"):
        check_frozen("2026.1")
    path.write_text(level_file("2026.1", IDS, None))
    for cached in (level._files, level.read_level):
        cached.cache_clear()
    with pytest.raises(FrozenDiffers, match="the published hash"):
        check_frozen("2026.1")


def test_rules_outside_the_level_are_told_and_do_not_count() -> None:
    outside = terms(OWN)
    passed = ItemResult(rule="HC-ROUTE-001", variant="http", verdict=Verdict.PASS)
    failed = replace(passed, verdict=Verdict.FAIL, reason="no")
    assert judged("rpc", passed, outside).verdict is Verdict.PROVISIONAL
    result = judged("rpc", failed, outside)
    assert result.verdict is Verdict.PROVISIONAL_FAIL
    assert "ended fail: no" in result.reason
    assert not result.bad


def test_a_rule_that_a_challenge_took_out_does_not_count() -> None:
    without = replace(OWN, excluded={"HC-CAP-003": "HC-CAP-003 asks too much"})
    failed = ItemResult(rule="HC-CAP-003", variant="http", verdict=Verdict.FAIL, reason="no")
    result = judged("rpc", failed, terms(without))
    assert result.verdict is Verdict.PROVISIONAL
    assert "by a challenge: HC-CAP-003 asks too much" in result.reason
    assert without.scored == {"HC-CAP-001"}


def test_a_whole_run_with_fewer_rules_than_the_level_is_vacuous() -> None:
    one = run(RpcDriver, Selection(patterns=["HC-CAP-001"]))
    assert (one.exit_code, one.conformant, one.passed) == (0, False, True)
    whole = replace(one, selection=Selection(), level=OWN)
    assert whole.exit_code == 4
    assert "1 rules of level 1.0 did not run: HC-CAP-003" in whole.vacuous


def test_a_profile_asks_for_a_number_of_rules() -> None:
    scored = read_level("2026.1")
    assert scored.minimum("custom") < scored.minimum("rpc") < len(scored.scored)
    report = run(RpcDriver)
    assert report.ran >= scored.minimum("rpc")
    away = [replace(result, verdict=Verdict.NOT_APPLICABLE) for result in report.results[1:]]
    few = replace(report, results=[report.results[0], *away])
    assert few.exit_code == 4
    assert "the profile 'rpc' asks for" in few.vacuous
    assert set(PROFILES)


def test_strict_terms_refuse_what_is_not_declared() -> None:
    class Shy(RpcDriver):
        capabilities = RpcDriver.capabilities.but(streaming=UNKNOWN)

    with pytest.raises(ValueError, match="missing are streaming"):
        Terms.of(Shy(), strict=True)


def test_the_report_names_level_and_denominator() -> None:
    report = Report.of(RpcDriver(), [], terms=terms(OWN), selection=Selection())
    assert report.in_level == 2
    assert report.missing == IDS
    assert report.exit_code == 4
