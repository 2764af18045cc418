"""The pytest plugin in scratch projects: inert without its option, at home in any neighbourhood with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hosting_testkit.conformance import check_channel, read_level
from hosting_testkit.conformance.reference import RpcDriver
from hosting_testkit.conformance.report import sum_line

RPC = "hosting_testkit.conformance.reference:RpcDriver"
BOT = "hosting_testkit.conformance.reference:BotDriver"
MUTANTS = "hosting_testkit.conformance.mutants"
SOURCE = Path(__file__).parents[2] / "src"
PLUGIN = ("-p", "hosting_testkit.pytest_plugin")
SMOKE = ("--conformance-tier", "0")
IN_LEVEL = len(read_level("2026.3").scored)
REPORT = check_channel(RpcDriver, tier=0)
SUM = sum_line(REPORT).rpartition(";")[0]
PASSED = f"{REPORT.ran + 1} passed, {26 - REPORT.ran} skipped"
"""With the project's own test."""


SHUFFLED = "import random\ndef pytest_collection_modifyitems(items):\n    random.shuffle(items)\n"
"""A neighbour that runs items in any order."""

BROKEN = (
    "from hosting_testkit.conformance.mutants.stream import TwoTerminals\n"
    "from hosting_testkit.conformance.reference import RpcDriver\n"
    "class Broken(RpcDriver):\n"
    "    channel_class = TwoTerminals\n"
)
"""A driver whose channel fails HC-STREAM-004."""

TWO = ("--conformance-rule", "HC-STREAM-00[14]")


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
    assert PASSED in done.stdout
    assert SUM in done.stdout


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
    assert "not-applicable: text_limit impossible: " in done.stdout


@pytest.mark.parametrize(
    "neighbourhood",
    [
        ("-W", "error"),
        (
            "-p",
            "asyncio",
            "-o",
            "asyncio_mode=strict",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
        ),
        (
            "-p",
            "asyncio",
            "-o",
            "asyncio_mode=auto",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
        ),
        ("-p", "anyio"),
        ("-o", "strict=true", "--strict-markers", "--strict-config"),
        ("-p", "xdist", "-n", "2"),
        ("-p", "syrupy"),
        ("-p", "no:asyncio"),
        ("-p", "shuffled"),
    ],
    ids=lambda options: "-".join(options).replace("=", "-").replace("--", "-"),
)
def test_it_works_in_any_neighbourhood(project: Path, neighbourhood: tuple[str, ...]) -> None:
    (project / "shuffled.py").write_text(SHUFFLED)
    done = run(project, *neighbourhood, "--conformance", RPC, *SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSED in done.stdout
    assert SUM in done.stdout


def test_names_and_markers_select_items(project: Path) -> None:
    by_name = run(project, "-v", "--conformance", RPC, *SMOKE, "-k", "STREAM")
    assert len(verdicts(by_name)) == 3
    assert f"in level = 3 run + 0 n/a + {IN_LEVEL - 3} deselected" in by_name.stdout
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
        (("--conformance", RPC, "--conformance-report", "pdf=x"), "expected FMT or FMT=PATH"),
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


def test_a_listed_failure_is_an_xfail_and_a_listed_pass_a_failure(project: Path) -> None:
    (project / "broken.py").write_text(BROKEN)
    listed = "[[expect]]\nrule = 'HC-STREAM-004'\nreason = 'later'\ncontains = 'terminal events'\n"
    (project / "conformance.ledger.toml").write_text(listed)
    done = run(project, "-rx", "--conformance", "broken:Broken", *TWO)
    assert done.returncode == 0, done.stdout
    assert "2 passed, 1 xfailed" in done.stdout
    assert "HC-STREAM-004 (gap): later" in done.stdout
    assert run(project, "--conformance", "broken:Broken", *TWO, "--runxfail").returncode == 1
    passes = run(project, "--conformance", RPC, *TWO)
    assert passes.returncode == 1
    assert "1 unexpected-pass" in passes.stdout
    (project / "conformance.ledger.toml").write_text(listed.replace("terminal events", "other words"))
    assert run(project, "--conformance", "broken:Broken", *TWO).returncode == 1


def test_a_project_file_has_node_ids_of_its_own(project: Path) -> None:
    (project / "conformance.toml").write_text(
        f"[[channel]]\ndriver = '{RPC}'\nrules = ['HC-STREAM-00[14]']\n"
        f"[[channel]]\ndriver = '{BOT}'\nrules = ['HC-CAP-001']\n"
    )
    assert "1 passed" in run(project).stdout, "inert without the option"
    done = run(project, "-v", "--conformance", "conformance.toml", "--conformance-only")
    assert "3 passed" in done.stdout, done.stdout
    one = "conformance.toml::rpc::HC-STREAM-004@http"
    assert f"{one} PASSED" in done.stdout
    assert "1 passed" in run(project, "--conformance", "conformance.toml", one).stdout
    many = run(project, "-p", "xdist", "-n", "2", "--conformance", "conformance.toml")
    assert "4 passed" in many.stdout, many.stdout
    assert many.stdout.index("rpc @ 2026.3") < many.stdout.index("bot @ 2026.3")


def test_only_leaves_the_projects_own_tests_alone(project: Path) -> None:
    (project / "test_own.py").write_text("raise RuntimeError('imported')\n")
    done = run(project, "--conformance", RPC, "--conformance-only", *TWO)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_ini_keys_mirror_the_options(project: Path) -> None:
    (project / "pytest.ini").write_text(
        f"[pytest]\nconformance = {RPC}\nconformance_rule = HC-STREAM-00[14]\nconformance_report = json=out.json\n"
        "conformance_tier = 0\nconformance_only = true\nconformance_seed = 12\n"
    )
    done = run(project)
    assert "2 passed" in done.stdout, done.stdout
    (channel,) = json.loads((project / "out.json").read_text())["channels"]
    assert channel["seed"] == 12
    assert channel["selection"]["tier"] == 0


def test_areas_and_variants_filter(project: Path) -> None:
    done = run(project, "-v", "--conformance", RPC, *SMOKE, "--conformance-area", "CAP,ROUTE")
    assert {id.split("-")[1] for id in verdicts(done)} == {"CAP", "ROUTE"}
    nothing = run(project, "-v", "--conformance", RPC, *SMOKE, "--conformance-variant", "pigeon")
    assert nothing.returncode == 1
    assert verdicts(nothing) == {"conformance::rpc::HC-CAP-003@summary": "FAILED"}


def test_traces_scripts_and_junit_of_a_failure(project: Path) -> None:
    (project / "broken.py").write_text(BROKEN)
    arguments = (
        "--conformance",
        "broken:Broken",
        *TWO,
        "--conformance-trace",
        "--conformance-repro",
        "again",
    )
    done = run(project, *arguments, "--junitxml", "junit.xml", "-o", "junit_family=xunit1")
    assert "wire      t=0.000 #1 request POST /kit/rpc" in done.stdout
    assert "repro     again/rpc_HC-STREAM-004_http.py" in done.stdout
    assert "likely    sends completed after failed (compare mutant two-terminals)" in done.stdout
    assert (project / "again" / "rpc_HC-STREAM-004_http.py").is_file()
    assert '<property name="verdict" value="fail"' in (project / "junit.xml").read_text()


def test_strict_refuses_a_driver_that_leaves_something_open(project: Path) -> None:
    (project / "shy.py").write_text(
        "from hosting_testkit.conformance.reference import RpcDriver\n"
        "from hosting_testkit.drivers import UNKNOWN\n"
        "class Shy(RpcDriver):\n"
        "    capabilities = RpcDriver.capabilities.but(streaming=UNKNOWN)\n"
    )
    done = run(project, "--conformance", "shy:Shy", "--conformance-strict")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "strict needs every capability declared; missing are streaming" in done.stderr


def test_a_rule_is_explained_without_a_run(project: Path) -> None:
    done = run(project, "--conformance-explain", "HC-STREAM-004")
    assert done.returncode == 0
    assert "clients stop reading" in done.stdout
    assert "passed" not in done.stdout


@pytest.mark.parametrize("option", ["fuzz", "chaos", "server"])
def test_what_is_not_there_yet_says_so(project: Path, option: str) -> None:
    done = run(project, f"--conformance-{option}", "1")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"--conformance-{option} is not available yet" in done.stderr


def test_importing_the_plugin_is_quick() -> None:
    code = (
        "import time; begun = time.process_time(); import pytest; before = time.process_time(); "
        "import hosting_testkit.pytest_plugin; print((time.process_time() - before) / (before - begun))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 0.2, "a part of what pytest itself takes, however slow the machine is"
