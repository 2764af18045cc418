"""The kit without pytest."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from hosting_testkit.cli import main

RPC = "hosting_testkit.conformance.reference:RpcDriver"
BOT = "hosting_testkit.conformance.reference:BotDriver"
BROKEN = "hosting_testkit.conformance.mutants.route:HardcodedPath"


def test_check_is_0_for_a_conformant_channel_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.json"
    assert main(["check", RPC, BOT, "--tier", "0", "--report", f"json={path}"]) == 0
    assert capsys.readouterr().out.count(" in level = ") == 2
    assert [channel["channel"] for channel in json.loads(path.read_text())["channels"]] == ["rpc", "bot"]


def test_check_is_4_if_no_rule_ran(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", BOT, "--rule", "HC-STREAM-*"]) == 4
    assert "NO RULE RAN" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check", "nobody"], "no channel 'nobody'"),
        (["check", "no.such:driver"], "cannot be made"),
        (["check", BROKEN], "expected a ChannelDriver"),
        (["check", RPC, "--rule", "HC-TYPO"], "no rule matches 'HC-TYPO'"),
        (["explain", "HC-TYPO"], "no rule 'HC-TYPO'"),
    ],
)
def test_what_is_not_known_is_2_with_one_clear_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_list_shows_every_rule_and_which_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 251
    assert sum("not written yet" not in line for line in lines) >= 26


def test_explain_tells_reason_clauses_and_defects(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "HC-STREAM-004"]) == 0
    out = capsys.readouterr().out
    assert "clients stop reading" in out
    assert "two-terminals: sends completed after failed" in out


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.mark.parametrize("kind", ["rpc", "webhook-bot", "polling-bot"])
def test_init_writes_a_driver_that_the_doctor_can_look_at(
    kind: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"driver_{kind.replace('-', '_')}"
    assert main(["init", "mine", "--kind", kind, "--path", f"{name}.py"]) == 0
    text = (project / f"{name}.py").read_text()
    for hook in ("misconfigured", "tampered", "cancel", "make"):
        assert f"def {hook}(self" in text
    assert main(["doctor", f"{name}:Driver"]) == 1
    out = capsys.readouterr().out
    assert "capabilities that are not declared: " in out
    assert "misconfigured(env) is not written" in out
    assert "make(env) raised NotImplementedError" in out or "platform() raised NotImplementedError" in out
    assert main(["init", "mine", "--path", f"{name}.py"]) == 2


def test_init_takes_the_names_that_channels_have(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "acme-chat", "--path", "acme.py"]) == 0
    assert 'name = "acme-chat"' in (project / "acme.py").read_text()
    assert main(["init", "acme chat", "--path", "other.py"]) == 2
    assert "a letter first, such as acme-chat" in capsys.readouterr().err
    assert not (project / "other.py").exists()


def test_the_stubs_work_when_they_are_uncommented(project: Path) -> None:
    for kind in ("rpc", "webhook-bot", "polling-bot"):
        main(["init", "mine", "--kind", kind, "--path", f"{kind}.py"])
        text = (project / f"{kind}.py").read_text()
        whole = re.sub(r"^    # (?=def |    |@)", "    ", text, flags=re.MULTILINE)
        assert whole.count("    def ") > text.count("\n    def ") + 5
        exec(compile(whole, kind, "exec"), {"__name__": "filled_in"})


def test_the_doctor_has_nothing_to_say_of_the_references(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", RPC]) == 0, capsys.readouterr().out


def test_a_ledger_is_proposed_and_covers_once_it_has_reasons(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "listed.py").write_text(
        "from hosting_testkit.conformance.mutants.stream import TwoTerminals\n"
        "from hosting_testkit.conformance.reference import RpcDriver\n"
        "class Broken(RpcDriver):\n    channel_class = TwoTerminals\n"
    )
    command = ["check", "listed:Broken", "--rule", "HC-STREAM-004"]
    assert main([*command, "--write-ledger"]) == 1
    assert "1 entries proposed" in capsys.readouterr().out
    assert main([*command, "--strict"]) == 2
    assert "strict needs reason, issue, expires" in capsys.readouterr().err
    path = project / "conformance.ledger.toml"
    path.write_text(path.read_text().replace('reason = ""', 'reason = "later"').replace('"gap"', '"kit-bug"'))
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "1 expected-fail, 0 FAIL" in out
    assert "# Challenge of HC-STREAM-004" in out


def test_a_project_file_is_read_if_no_channel_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"]) == 2
    assert "which channel?" in capsys.readouterr().err
    (project / "conformance.toml").write_text(f'[[channel]]\ndriver = "{RPC}"\nrules = ["HC-CAP-001"]\n')
    assert main(["check"]) == 0
    assert "1 run" in capsys.readouterr().out
    (project / "conformance.toml").write_text(f'[[channel]]\ndriver = "{RPC}"\ntier = 9\n')
    assert main(["check"]) == 2
    assert "tier = 9, expected 0 to 3" in capsys.readouterr().err


def test_reports_are_compared(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, rule in (("old", "HC-CAP-001"), ("new", "HC-CAP-00[13]")):
        main(["check", RPC, "--rule", rule, "--report", f"json={name}.json"])
    capsys.readouterr()
    assert main(["diff", "old.json", "new.json"]) == 0
    assert "| HC-CAP-003@http | - | pass |" in capsys.readouterr().out
    assert main(["matrix", "old.json", "new.json"]) == 0
    assert "| CAP | 1/1 | 2/2 |" in capsys.readouterr().out
    (project / "no.json").write_text("[]")
    assert main(["matrix", "no.json"]) == 2


def test_what_mutants_are_there_and_how_to_challenge(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", "--rule", "HC-STREAM-004"]) == 0
    assert "two-terminals (rpc): sends completed after failed" in capsys.readouterr().out
    assert main(["challenge", "HC-STREAM-004"]) == 0
    assert "Why the contract allows it" in capsys.readouterr().out
    assert main(["check", "--freeze-check", "--level", "next"]) == 2
    assert "not frozen yet" in capsys.readouterr().err
