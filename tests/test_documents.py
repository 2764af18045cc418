"""The code of the documents runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hosting import AgentFrameworkHost
from hosting_testkit import InMemoryHost
from hosting_testkit.conformance import check_channel
from tests import documents


def test_the_ten_line_host_is_ten_lines_and_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = documents.blocks("README.md")["ten_lines"]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    host = documents.run("README.md", "ten_lines")["host"]
    assert isinstance(host, AgentFrameworkHost)
    assert host.app.routes


async def test_the_ten_line_host_answers() -> None:
    found: dict[str, Any] = documents.run("README.md", "ten_lines")
    async with InMemoryHost(found["agent"], [found["ResponsesChannel"]()]) as host:
        answer = await host.post("/responses", json={"input": "Who are you?"})
        assert answer.json()["output"][0]["content"][0]["text"] == "Hello from the agent."


async def test_the_six_line_test_is_six_lines_and_passes() -> None:
    code = documents.blocks("README.md")["six_lines"]
    assert len([line for line in code.splitlines() if line.strip()]) <= 6
    await documents.run("README.md", "six_lines")["test_it_answers"]()


async def test_the_first_channel_is_under_forty_lines_and_its_test_passes() -> None:
    code = documents.blocks("docs/first-channel.md")["first_channel"]
    assert len([line for line in code.splitlines() if line.strip()]) < 40
    await documents.run("docs/first-channel.md", "first_channel", "first_channel_test")["test_it_answers"]()


def test_the_first_channel_keeps_the_contract() -> None:
    found = documents.run("docs/first-channel.md", "first_channel", "first_driver")
    report = check_channel(found["SayDriver"], tier=0)
    report.raise_for_failures()
    assert report.ran >= 20
