"""Odd but legal channels must pass (conformance-kit 6.3)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest
from agent_framework import AgentResponse, AgentResponseUpdate, ResponseStream

from conformance.eccentrics import TABLE
from hosting_testkit import virtual_time
from hosting_testkit.conformance import Selection, Verdict, items_of, run_item
from hosting_testkit.conformance.eccentrics import Eccentric, eccentric, eccentric_table, eccentrics
from hosting_testkit.conformance.kit import Kit
from hosting_testkit.conformance.reference import REFERENCES, RpcChannel, RpcDriver
from hosting_testkit.conformance.report.terminal import failure_text
from hosting_testkit.drivers import ChannelDriver
from hosting_testkit.targets import Echo, Run

FINE = (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.PROVISIONAL)
AREAS = sorted({item.rule.text.area for item in items_of(RpcDriver, Selection())})

SURROUNDINGS = {
    "turkish, far east, warnings as errors": (
        ["-W", "error"],
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    ),
    "no locale, optimised": (["-O"], {"LC_ALL": "C", "TZ": "America/Los_Angeles", "PYTHONHASHSEED": "2"}),
}


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("odd", eccentrics(), ids=lambda odd: odd.id)
def test_an_odd_but_legal_channel_fails_no_rule(odd: Eccentric, area: str) -> None:
    wrong = [
        failure_text(result, odd.id)
        for item in items_of(odd.driver, Selection(patterns=[f"HC-{area}-*"]))
        if (result := run_item(odd.driver, item)).verdict not in FINE
    ]
    assert wrong == []


@pytest.mark.parametrize("odd", eccentrics(), ids=lambda odd: odd.id)
def test_an_odd_channel_answers(odd: Eccentric) -> None:
    (item,) = items_of(odd.driver, Selection(patterns=["HC-CAP-001"]))
    assert run_item(odd.driver, item).verdict is Verdict.PASS


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_odd_surroundings_change_no_verdict(name: str) -> None:
    flags, variables = SURROUNDINGS[name]
    reference = "hosting_testkit.conformance.reference:BotDriver"
    command = [sys.executable, *flags, "-m", "hosting_testkit.cli", "check", reference, "--tier", "0"]
    run = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


class _Late(Echo):
    """A target whose stream has to be awaited, as that of core's own agents has behind middleware."""

    def open(self, run: Run) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        return ResponseStream[AgentResponseUpdate, AgentResponse[Any]].from_awaitable(self.later(run))

    async def later(self, run: Run) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        await asyncio.sleep(1)
        return super().open(run)


@pytest.mark.parametrize("driver", REFERENCES, ids=lambda driver: driver.name)
@virtual_time
async def test_a_target_that_has_to_be_awaited_changes_no_answer(driver: type[ChannelDriver]) -> None:
    kit = Kit(driver, driver.capabilities.variants[0])
    async with kit.host(_Late()) as h:
        for stream in (False, True) if kit.claim("streaming").runs else (False,):
            assert (await h.turn(said := kit.nonce(), stream=stream)).text == said
    await kit.aclose()


def test_the_published_list_is_what_the_code_says() -> None:
    assert TABLE.read_text(encoding="utf-8") == eccentric_table(), "run: python -m conformance.eccentrics"


def test_two_eccentrics_have_two_names() -> None:
    known = eccentrics()[0].id
    with pytest.raises(ValueError, match="two eccentrics are named"):
        eccentric(known, "once more", base=RpcDriver)(RpcChannel)
