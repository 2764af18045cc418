"""The kit without pytest."""

from __future__ import annotations

import json
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
    assert main(["check", RPC, BOT, "--tier", "0", "--json", str(path)]) == 0
    assert capsys.readouterr().out.count("26 in level") == 2
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
