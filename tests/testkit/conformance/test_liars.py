"""Who cheats the kit ends unproven, failed or refused (conformance-kit 6.2)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request

from hosting import Channel, ChannelRequest, HostedRunResult
from hosting_testkit.conformance import (
    ItemResult,
    NotConformant,
    Selection,
    Verdict,
    check_channel,
    items_of,
    run_item,
)
from hosting_testkit.conformance.mutants.cap import CannedReply, LiarDriver
from hosting_testkit.conformance.reference import BotChannel, BotDriver, RpcChannel, RpcDriver
from hosting_testkit.conformance.report import NoBadge, badge_of
from hosting_testkit.drivers import IMPOSSIBLE, Capabilities, ChannelDriver, Env, Inbound, Reply, Turn
from hosting_testkit.drivers.capabilities import NAMES
from hosting_testkit.simulators import BotLimits, BotPlatform
from hosting_testkit.transports.asgi import ASGIApp

CHEATED = (Verdict.FAIL, Verdict.UNPROVEN)


def verdict(driver: Callable[[], ChannelDriver], rule: str) -> Verdict:
    (item, *_) = items_of(driver(), Selection(tier=3, patterns=[rule]))
    return run_item(driver, item).verdict


def test_a_driver_that_peeks_at_the_target_is_found() -> None:
    assert verdict(LiarDriver, "HC-CAP-001") is Verdict.FAIL


class AllImpossible(RpcDriver):
    """Declares everything away."""

    capabilities = Capabilities().but(**{name: IMPOSSIBLE("no") for name in NAMES})


def test_who_declares_everything_impossible_lacks_what_the_profile_needs() -> None:
    report = check_channel(AllImpossible)
    assert verdict(AllImpossible, "HC-CAP-003") is Verdict.FAIL
    with pytest.raises(NotConformant):
        report.raise_for_failures()
    with pytest.raises(NoBadge):
        badge_of(report)


class Canned(RpcDriver):
    """Drives a channel that says the same, whatever the target says."""

    channel_class = CannedReply


@pytest.mark.parametrize("driver", [Canned, LiarDriver], ids=["canned reply", "peeking driver"])
def test_who_cheats_has_no_badge_although_all_else_passes(driver: type[RpcDriver]) -> None:
    proof = check_channel(driver, "HC-CAP-001")
    others = [
        ItemResult(rule=id, variant="http", verdict=Verdict.PASS)
        for id in proof.level.scored - {result.rule for result in proof.results}
    ]
    report = replace(proof, results=[*proof.results, *others], selection=Selection())
    with pytest.raises(NoBadge, match="the driver's word is not good \\(HC-CAP-001"):
        badge_of(report)


class EnvSniffer(RpcChannel):
    """Behaves where it believes to be tested."""

    async def handle(self, request: Request) -> Any:
        tested = "PYTEST_CURRENT_TEST" in os.environ or "CI" in os.environ or self.path.startswith("/kit/")
        if not tested:
            raise RuntimeError("real life")
        return await super().handle(request)


class EnvSnifferDriver(RpcDriver):
    channel_class = EnvSniffer


def test_a_channel_cannot_tell_that_it_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert "PYTEST_CURRENT_TEST" in os.environ
    assert verdict(EnvSnifferDriver, "HC-CAP-001") is Verdict.FAIL
    assert os.environ["CI"] == "true"
    assert "PYTEST_CURRENT_TEST" in os.environ


class WarmFactory(BotDriver):
    """Gives the same channel to everybody."""

    made: list[Channel] = []  # noqa: RUF012 - shared on purpose

    def make(self, env: Env) -> Channel:
        if not self.made:
            self.made.append(super().make(env))
        return self.made[0]


def test_a_factory_that_keeps_its_channel_is_found() -> None:
    WarmFactory.made.clear()
    assert verdict(WarmFactory, "HC-CAP-005") in CHEATED
    assert verdict(WarmFactory, "HC-CAP-001") in CHEATED


class SlowControl(RpcChannel):
    """Answers an ordinary turn only when its own time limit has passed."""

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        except TimeoutError:
            pass
        return await super().run(turn, body)


class SlowControlDriver(RpcDriver):
    channel_class = SlowControl


def test_an_answer_that_only_a_time_limit_brings_is_found() -> None:
    assert verdict(SlowControlDriver, "HC-CAP-001") is Verdict.FAIL


class TakesAll(BotDriver):
    """Has a platform that refuses nothing."""

    def platform(self) -> ASGIApp:
        lenient = ("text_too_long", "text_empty", "bad_markup", "unknown_chat", "unauthorised")
        limits = BotLimits(text=10**6, per_chat=None, per_group=None, overall=None)
        self.sim = BotPlatform(token="t" * 32, limits=limits, lenient=lenient)
        return self.sim.app


class OneMessage(BotChannel):
    def split(self, text: str) -> Sequence[str]:
        return [text]


class TakesAllOfOneMessage(TakesAll):
    channel_class = OneMessage


def test_a_platform_that_takes_all_does_not_hide_what_a_channel_sends() -> None:
    assert verdict(TakesAllOfOneMessage, "HC-TEXT-001") is Verdict.FAIL


class SkipsHooks(RpcDriver):
    """Leaves out what is hard to write, and hopes that the rules do not apply."""

    def reference(self, reply: Reply) -> str:
        raise self.lacks("reference")

    def cancel(self, turn: Turn, reply: Reply) -> Inbound:
        raise self.lacks("cancel")

    def requests(self, reply: Reply) -> Sequence[str]:
        raise self.lacks("requests")


@pytest.mark.parametrize("rule", ["HC-CANCEL-011", "HC-APPR-001"])
def test_a_hook_that_is_missing_proves_nothing(rule: str) -> None:
    (item,) = items_of(SkipsHooks, Selection(patterns=[rule]))
    result = run_item(SkipsHooks, item)
    assert result.verdict is Verdict.UNPROVEN
    assert "write it, or declare the capability absent" in result.reason


def test_who_swallows_exceptions_of_the_kit_does_not_pass(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_call(item):
            try:
                return (yield)
            except BaseException:
                return None
        """
    )
    pytester.makepyfile(
        liar="""
        from hosting_testkit.conformance.mutants.cap import CannedReply
        from hosting_testkit.conformance.reference import RpcDriver

        class driver(RpcDriver):
            channel_class = CannedReply
        """
    )
    done = pytester.runpytest_subprocess(
        "--conformance", "liar:driver", "--conformance-rule", "HC-CAP-001", "-p", "no:cacheprovider"
    )
    assert done.ret == pytest.ExitCode.INTERNAL_ERROR
    done.stdout.fnmatch_lines(
        ["HARNESS ERROR: rpc HC-CAP-001@http failed, and something in this run made it pass*"]
    )
