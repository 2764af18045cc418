"""Fixtures for authors' own tests: at home in any suite that asks for them, absent from one that does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import documents

SOURCE = Path(__file__).parents[2] / "src"
PLUGIN = ("-p", "hosting_testkit.pytest_plugin")
ENABLED = (*PLUGIN, "-p", "syrupy", "-p", "hosting_testkit.pytest_fixtures")
ASYNCIO = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")

SUITE = """
import asyncio
import socket

import pytest

from hosting_testkit import run_virtual, virtual_time
from hosting_testkit.conformance.reference import RpcChannel


@virtual_time
async def test_a_coroutine_in_virtual_time(channel_host, fake_target, virtual_clock):
    fake_target.says("a", "b")
    async with channel_host(RpcChannel()) as host:
        begun = virtual_clock.now()
        assert (await host.post("/rpc", json={"input": "hi"})).json()["items"] == ["ab"]
        await asyncio.sleep(3600)
        assert virtual_clock.now() - begun >= 3600
    assert [run.text for run in fake_target.runs] == ["hi"]


def test_a_plain_function(channel_host):
    async def talk():
        async with channel_host(RpcChannel()) as host:
            return (await host.post("/rpc", json={"input": "hi"})).json()["items"]

    assert run_virtual(talk) == ["hi"]
    assert asyncio.run(talk()) == ["hi"]


@virtual_time
async def test_a_platform(bot_platform):
    async with bot_platform() as platform, platform.client() as client:
        platform.person("ann").says("hi")
        answer = await client.post("/bot/sendMessage", json={"chat": "c_ann", "text": "hello"})
    assert answer.status_code == 200
    assert platform.chat("ann").texts == ["hi", "hello"]


def test_no_network(socket_guard):
    with pytest.raises(OSError, match="socket_guard"):
        socket.create_connection(("127.0.0.1", 9))
    assert len(socket_guard) == 2 or "9" in socket_guard[0]


def test_a_clock_stands_still(virtual_clock):
    before = virtual_clock.now()
    virtual_clock.advance(5)
    assert virtual_clock.now() == before + 5

"""
ASYNC_TEST = """

async def test_a_coroutine_on_a_real_loop(channel_host, socket_guard):
    async with channel_host(RpcChannel()) as host:
        assert (await host.post("/rpc", json={"input": "hi"})).status_code == 200
"""
TESTS = SUITE.count("def test_")


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest in the project; only the plugins that are named are loaded."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", *arguments],
        cwd=project,
        env={
            "PYTHONPATH": os.fspath(SOURCE),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "COLUMNS": "200",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def passed(done: subprocess.CompletedProcess[str]) -> int:
    """How many tests passed; none failed."""
    found = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0 and found, done.stdout + done.stderr
    return int(found[1])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose tests use every fixture that needs no other plugin."""
    (tmp_path / "test_own.py").write_text(SUITE)
    return tmp_path


@pytest.mark.parametrize(
    "neighbourhood",
    [
        (),
        (*ASYNCIO, "-o", "asyncio_mode=strict"),
        (*ASYNCIO, "-o", "asyncio_mode=auto"),
        ("-p", "anyio"),
        ("-p", "xdist", "-n", "2"),
        ("-o", "strict=true", "--strict-markers", "--strict-config"),
        ("-k", "coroutine or plain or platform or network or clock"),
    ],
    ids=lambda options: "-".join(options).replace("=", "-") or "none",
)
def test_they_work_in_any_neighbourhood(project: Path, neighbourhood: tuple[str, ...]) -> None:
    assert passed(run(project, *ENABLED, *neighbourhood)) == TESTS


@pytest.mark.parametrize(
    "options", [(*ASYNCIO, "-o", "asyncio_mode=auto"), ("-p", "anyio", "-o", "anyio_mode=auto")]
)
def test_they_work_in_coroutines_of_a_plugin(project: Path, options: tuple[str, ...]) -> None:
    head = "from hosting_testkit.conformance.reference import RpcChannel\n"
    if "anyio" in options:
        head += "import pytest\n\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
    (project / "test_own.py").write_text(head + ASYNC_TEST)
    assert passed(run(project, *ENABLED, *options)) == 1


def test_a_root_conftest_enables_them(project: Path) -> None:
    (project / "conftest.py").write_text(documents.files("docs/testing-your-channel.md")["conftest.py"])
    assert passed(run(project, *PLUGIN, "-p", "syrupy")) == TESTS


def test_any_order_and_the_failed_ones_alone(project: Path) -> None:
    names = [
        line.split("::")[1]
        for line in run(project, *ENABLED, "--co", "-q").stdout.splitlines()
        if "::" in line
    ]
    assert passed(run(project, *ENABLED, *(f"test_own.py::{name}" for name in reversed(names)))) == TESTS
    broken = SUITE.replace("before + 5", "before + 6")
    (project / "test_own.py").write_text(broken)
    assert "1 failed" in run(project, *ENABLED).stdout
    (project / "test_own.py").write_text(SUITE)
    assert passed(run(project, *ENABLED, "--lf")) == 1


def test_who_does_not_ask_has_none_of_them(project: Path) -> None:
    told = run(project, *PLUGIN, "--fixtures", "-q").stdout
    assert "channel_host" not in told
    assert "channel_host" in run(project, *ENABLED, "--fixtures", "-q").stdout
    assert "autouse" not in (SOURCE / "hosting_testkit/pytest_fixtures.py").read_text()


def test_the_guide_runs(tmp_path: Path) -> None:
    for name, text in documents.files("docs/testing-your-channel.md").items():
        (tmp_path / name).write_text(text)
    first = run(tmp_path, *PLUGIN, "-p", "syrupy", "--snapshot-update")
    assert passed(first) == 10
    kept = tmp_path / "conformance_snapshots/rpc"
    assert len(list(kept.glob("*.events"))) == 6
    assert "event: delta" in (kept / "happy-stream.sse").read_text()
    again = run(tmp_path, *PLUGIN, "-p", "syrupy", CI="true")
    assert passed(again) == 10


def test_snapshots_of_syrupy_beside_them_leave_them_alone(tmp_path: Path) -> None:
    guide = documents.files("docs/testing-your-channel.md")
    (tmp_path / "conftest.py").write_text(guide["conftest.py"])
    (tmp_path / "test_snapshots.py").write_text(guide["test_snapshots.py"])
    (tmp_path / "test_other.py").write_text("def test_other(snapshot):\n    assert snapshot == 1\n")
    for _ in range(2):
        done = run(tmp_path, *PLUGIN, "-p", "syrupy", "--snapshot-update")
        assert passed(done) == 8 and "deleted" not in done.stdout
    assert len(list((tmp_path / "conformance_snapshots/rpc").iterdir())) == 7


def test_what_was_never_kept_is_no_match(tmp_path: Path) -> None:
    for name, text in documents.files("docs/testing-your-channel.md").items():
        (tmp_path / name).write_text(text)
    done = run(tmp_path, *PLUGIN, "-p", "syrupy", "-k", "frames")
    assert done.returncode == 1 and "run pytest --snapshot-update" in done.stdout
    refused = run(tmp_path, *PLUGIN, "-p", "syrupy", "--snapshot-update", CI="1")
    assert (
        refused.returncode == pytest.ExitCode.USAGE_ERROR
        and not (tmp_path / "conformance_snapshots").exists()
    )


def test_a_changed_stream_fails_its_snapshot(tmp_path: Path) -> None:
    for name, text in documents.files("docs/testing-your-channel.md").items():
        (tmp_path / name).write_text(text)
    assert passed(run(tmp_path, *PLUGIN, "-p", "syrupy", "--snapshot-update", "-k", "sees")) == 6
    kept = tmp_path / "conformance_snapshots/rpc/replace-mode.events"
    kept.write_text("".join(reversed(kept.read_text().splitlines(keepends=True))))
    done = run(tmp_path, *PLUGIN, "-p", "syrupy", "-k", "sees")
    assert "1 failed, 5 passed" in done.stdout, done.stdout
