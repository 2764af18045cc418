"""Our plugin beside some twenty others: it changes nothing for a project that has it installed and does not use it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testkit.neighbours import INSTALLED, LOCAL, SUITE, write_project

SOURCE = Path(__file__).parents[2] / "src"
OURS = "hosting_testkit.pytest_plugin"
RPC = "hosting_testkit.conformance.reference:RpcDriver"
LOOP_SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")
MODES = {
    "none": (),
    "asyncio strict": ("-o", "asyncio_mode=strict"),
    "warnings are errors": ("-W", "error"),
    "strict": ("-o", "strict=true"),
}
_VARIES = re.compile(
    r"in \d+\.\d+s|time(stamp)?=\"[^\"]*\"|hostname=\"[^\"]*\"|/pytest-of-\S+|^plugins: .*|0x[0-9a-f]+|seed.*$",
    re.MULTILINE,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The scratch project; what it installs for itself is on the path."""
    write_project(tmp_path)
    return tmp_path


def run(project: Path, *arguments: str, ours: bool) -> subprocess.CompletedProcess[str]:
    """Runs pytest with every neighbour loaded, and nothing else but ours, first among them or not at all."""
    plugins = [*([OURS] if ours else []), *INSTALLED, *LOCAL]
    named = [word for plugin in plugins for word in ("-p", plugin)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *named, *LOOP_SCOPE, "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env={
            "PYTHONPATH": f"{SOURCE}:{project}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "120",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def seen(project: Path, mode: tuple[str, ...], *, ours: bool) -> tuple[int, list[str]]:
    """Exit code, output, errors and JUnit file of the project's own suite, without what varies between equal runs."""
    done = run(project, "-v", "-rA", "--junitxml", "out.xml", *mode, ours=ours)
    texts = (done.stdout, done.stderr, (project / "out.xml").read_text())
    return done.returncode, [_VARIES.sub("", text) for text in texts]


def test_there_are_twenty_neighbours_and_every_outcome() -> None:
    assert len(INSTALLED) + len(LOCAL) >= 20
    assert "xfail" in SUITE["test_own.py"] and "skip" in SUITE["test_own.py"]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_their_own_suite_is_unchanged(project: Path, mode: tuple[str, ...]) -> None:
    code, texts = seen(project, mode, ours=False)
    assert code == 1, texts
    assert "2 failed, 9 passed, 1 skipped, 1 xfailed" in texts[0]
    assert seen(project, mode, ours=True) == (code, texts)


def test_rules_run_among_all_of_them(project: Path) -> None:
    modes = [word for mode in MODES.values() for word in mode]
    some = ("--conformance", RPC, "--conformance-only", "--conformance-rule", "HC-STREAM-*")
    done = run(project, "-q", *some, *modes, ours=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 FAIL, 0 unproven" in done.stdout
