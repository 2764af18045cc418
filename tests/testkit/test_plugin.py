"""The pytest plugin in scratch projects: inert without its option, at home in any neighbourhood with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RPC = "hosting_testkit.conformance.reference:RpcDriver"
BOT = "hosting_testkit.conformance.reference:BotDriver"
MUTANTS = "hosting_testkit.conformance.mutants"
SOURCE = Path(__file__).parents[2] / "src"
PLUGIN = ("-p", "hosting_testkit.pytest_plugin")
SMOKE = ("--conformance-tier", "0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one passing test and no configuration."""
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    return tmp_path


def run(project: Path, *arguments: str, plugin: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs pytest in the project; only the plugins that are named are loaded."""
    command = [sys.executable, "-m", "pytest", *(PLUGIN if plugin else ()), *arguments]
    environment = {"PYTHONPATH": str(SOURCE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "300"}
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def verdicts(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Node id to outcome, from `-v` output."""
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("conformance::")]
    return {words[0]: words[1] for words in lines}


def test_importing_the_plugin_takes_nothing_but_itself_and_pytest() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import hosting_testkit.pytest_plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['hosting_testkit', 'hosting_testkit.pytest_plugin']"


def test_an_ordinary_project_is_unchanged(project: Path) -> None:
    def shape(done: subprocess.CompletedProcess[str]) -> list[str]:
        return [line.split(" in ")[0] for line in done.stdout.splitlines() if "plugins:" not in line]

    assert shape(run(project, "-v")) == shape(run(project, "-v", plugin=False))
    assert "conformance" not in run(project, "--markers").stdout


def test_a_channel_adds_its_items_to_the_projects_own(project: Path) -> None:
    done = run(project, "-v", "--conformance", RPC, *SMOKE)
    assert done.returncode == 0, done.stdout
    outcomes = verdicts(done)
    assert len(outcomes) == 26
    assert outcomes["conformance::rpc::HC-STREAM-004@http"] == "PASSED"
    assert outcomes["conformance::rpc::HC-TEXT-001@http"] == "SKIPPED"
    assert "23 passed, 4 skipped" in done.stdout
    assert (
        "rpc @ 2026.1: 26 in level = 22 run + 3 n/a + 1 provisional; 22 pass, 0 FAIL, 0 unproven"
        in done.stdout
    )


def test_a_skip_tells_why_a_rule_does_not_apply(project: Path) -> None:
    done = run(
        project,
        "-rs",
        "--conformance",
        RPC,
        "--conformance-rule",
        "HC-TEXT-001",
        "--conformance-rule",
        "HC-CAP-001",
    )
    assert "not-applicable: text_limit impossible: the protocol has none" in done.stdout


@pytest.mark.parametrize(
    "neighbourhood",
    [
        ("-W", "error"),
        (
            "-p",
            "pytest_asyncio",
            "-o",
            "asyncio_mode=strict",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
        ),
        (
            "-p",
            "pytest_asyncio",
            "-o",
            "asyncio_mode=auto",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
        ),
        ("-p", "anyio"),
        ("-o", "strict=true", "--strict-markers", "--strict-config"),
        ("-p", "xdist", "-n", "2"),
        ("-p", "syrupy"),
    ],
    ids=lambda options: "-".join(options).replace("=", "-").replace("--", "-"),
)
def test_it_works_in_any_neighbourhood(project: Path, neighbourhood: tuple[str, ...]) -> None:
    done = run(project, *neighbourhood, "--conformance", RPC, *SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "23 passed, 4 skipped" in done.stdout
    assert "26 in level = 22 run + 3 n/a + 1 provisional; 22 pass" in done.stdout


def test_names_and_markers_select_items(project: Path) -> None:
    by_name = run(project, "-v", "--conformance", RPC, *SMOKE, "-k", "STREAM")
    assert len(verdicts(by_name)) == 3
    assert "26 in level = 3 run + 0 n/a + 0 provisional + 23 deselected" in by_name.stdout
    by_marker = run(project, "-v", "--conformance", RPC, *SMOKE, "-m", "must and area_route")
    assert len(verdicts(by_marker)) == 2


def test_last_failed_runs_the_failed_rule_again(project: Path) -> None:
    (project / "broken.py").write_text(
        "from hosting_testkit.conformance.reference import RpcDriver\n"
        "class Wrong(RpcDriver):\n"
        "    def event(self, event):\n"
        "        return [*super().event(event), *super().event(event)]\n"
    )
    arguments = ("-v", "--conformance", "broken:Wrong", "--conformance-rule", "HC-STREAM-*")
    first = run(project, *arguments)
    assert first.returncode == 1
    again = run(project, *arguments, "--lf")
    failed = {id for id, outcome in verdicts(first).items() if outcome == "FAILED"}
    assert failed == verdicts(again).keys()
    assert "HC-STREAM-004 [MUST] Exactly one terminal event" in again.stdout
    assert "rerun     pytest --conformance broken:Wrong --conformance-rule HC-STREAM-004" in again.stdout
    assert "Traceback" not in again.stdout


def test_an_unproven_rule_fails_the_run(project: Path) -> None:
    (project / "shy.py").write_text(
        "from hosting_testkit.conformance.reference import RpcDriver\n"
        "class Shy(RpcDriver):\n"
        "    bad_credentials = ()\n"
    )
    done = run(project, "--conformance", "shy:Shy", "--conformance-rule", "HC-AUTH-001")
    assert done.returncode == 1
    assert "1 unproven" in done.stdout


def test_a_selection_in_which_nothing_applies_fails(project: Path) -> None:
    done = run(project, "-v", "--conformance", BOT, "--conformance-rule", "HC-STREAM-*")
    assert done.returncode == 1
    assert verdicts(done)["conformance::bot::HC-CAP-003@summary"] == "FAILED"
    assert "NO RULE RAN" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--conformance", "nobody"), "no channel 'nobody'"),
        (("--conformance", RPC, "--conformance-rule", "HC-TYPO"), "no rule matches 'HC-TYPO'"),
        (("--conformance", RPC, "--conformance-report", "pdf=x"), "expected json=PATH"),
        (("--conformance", RPC, "--conformance", f"{MUTANTS}.auth:AcceptAny"), "expected a ChannelDriver"),
        (("--conformance", RPC, "--conformance", f"{MUTANTS}.cap:FalseAdvert"), "both drive a channel 'rpc'"),
    ],
)
def test_what_is_not_known_is_a_usage_error(project: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run(project, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["one process", "two workers"])
def test_the_json_report_is_written_once_and_in_order(project: Path, workers: tuple[str, ...]) -> None:
    done = run(
        project,
        *workers,
        "--conformance",
        RPC,
        "--conformance",
        BOT,
        *SMOKE,
        "--conformance-report",
        "json=out.json",
    )
    assert done.returncode == 0, done.stdout
    rpc, bot = json.loads((project / "out.json").read_text())["channels"]
    assert [rpc["channel"], bot["channel"]] == ["rpc", "bot"]
    assert [item["rule"] for item in rpc["items"]] == [item["rule"] for item in bot["items"]]
    assert len(rpc["items"]) == 26
