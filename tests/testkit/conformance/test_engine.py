"""Verdicts: each way in which an item can end ends as it should, and nothing is green in vain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from hosting import Caller, ChannelContext, ChannelContribution, NotAuthenticated
from hosting_testkit.conformance import (
    Item,
    Kit,
    NotConformant,
    Rule,
    Selection,
    Verdict,
    catalogue,
    check_channel,
    items_of,
    run,
    run_item,
)
from hosting_testkit.conformance.reference import BotDriver, RpcChannel, RpcDriver
from hosting_testkit.drivers import IMPOSSIBLE, NOT_IMPLEMENTED, UNKNOWN, UNSTABLE, Out, Turn, Wire
from hosting_testkit.targets import Echo, Gate


def one(driver: Any, id: str) -> Any:
    """The result of one written rule."""
    (item,) = items_of(driver(), Selection(patterns=[id]))
    return run_item(driver, item)


def ended(body: Any, driver: Any = RpcDriver, **options: Any) -> Any:
    """The result of a rule made for the test."""
    rule = Rule(text=catalogue()["HC-CAP-001"], body=body, needs=(), why="a test")
    return run_item(driver, Item(rule, "http"), **options)


def test_a_rule_that_checks_nothing_is_unproven() -> None:
    async def body(k: Kit) -> None:
        k.control(True, "something works")

    assert ended(body).verdict is Verdict.UNPROVEN


def test_a_failed_check_does_not_stop_the_rule_and_all_are_named() -> None:
    async def body(k: Kit) -> None:
        k.equal("first", 1, 2)
        k.equal("second", 3, 4)

    result = ended(body)
    assert result.verdict is Verdict.FAIL
    assert result.reason == "2 of 2 checks failed: first; second"


def test_a_failed_control_is_unproven_and_stops_the_rule() -> None:
    async def body(k: Kit) -> None:
        k.control(False, "the ordinary case", observed="nothing")
        k.check("never reached", False)

    result = ended(body)
    assert result.verdict is Verdict.UNPROVEN
    assert "the ordinary case" in result.reason
    assert [check.control for check in result.checks] == [True]


def test_an_error_in_the_rule_itself_is_a_harness_error_and_exit_3() -> None:
    async def body(k: Kit) -> None:
        raise KeyError("oops")

    assert ended(body).verdict is Verdict.HARNESS_ERROR


def test_a_channel_that_never_answers_fails_and_the_report_says_where_it_waits() -> None:
    class Silent(RpcChannel):
        async def authenticate(self, request: Request) -> Caller:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

    class SilentDriver(RpcDriver):
        channel_class = Silent

    result = one(SilentDriver, "HC-CAP-001")
    assert result.verdict is Verdict.FAIL
    assert "did not end in 900 virtual seconds" in result.reason or "authenticate" in result.reason


def test_a_channel_that_blocks_the_loop_fails_after_the_real_time_cap_and_is_located() -> None:
    async def body(k: Kit) -> None:
        time.sleep(60)  # noqa: ASYNC251 - what the cap is for

    result = ended(body, cap=1.0)
    assert result.verdict is Verdict.FAIL
    assert "time.sleep(60)" in result.reason


def test_a_decoder_that_blocks_the_loop_is_located_too() -> None:
    class SleepyDriver(RpcDriver):
        def outbound(self, wire: Wire) -> Sequence[Out]:
            time.sleep(60)
            return []

    (item,) = items_of(SleepyDriver(), Selection(patterns=["HC-CAP-001"]))
    result = run_item(SleepyDriver, item, cap=1.0)
    assert result.verdict is Verdict.FAIL
    assert "time.sleep(60)" in result.reason


def test_a_real_connection_is_stopped() -> None:
    async def body(k: Kit) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                await client.get("http://127.0.0.1:9/")
            except httpx.ConnectError:
                k.check("stopped", True)

    assert ended(body).verdict is Verdict.PASS


def test_a_channel_that_does_not_start_fails() -> None:
    class NeverStarts(RpcChannel):
        def contribute(self, context: ChannelContext, /) -> ChannelContribution:
            return ChannelContribution(routes=super().contribute(context).routes, on_startup=[self.start])

        async def start(self) -> None:
            raise RuntimeError("no")

    class NeverStartsDriver(RpcDriver):
        channel_class = NeverStarts

    result = one(NeverStartsDriver, "HC-CAP-001")
    assert result.verdict is Verdict.FAIL
    assert "broke its life cycle" in result.reason


def test_a_channel_that_cannot_contribute_fails_and_is_not_taken_for_a_broken_kit() -> None:
    class CannotContribute(RpcChannel):
        def contribute(self, context: ChannelContext, /) -> ChannelContribution:
            raise KeyError("token")

    class Driver(RpcDriver):
        channel_class = CannotContribute

    result = one(Driver, "HC-CAP-001")
    assert (result.verdict, result.reason) == (Verdict.FAIL, "contribute() raised KeyError: 'token'")


def test_an_undeclared_capability_leaves_its_rules_unproven_with_the_way_out() -> None:
    class Forgetful(RpcDriver):
        capabilities = RpcDriver.capabilities.but(streaming=UNKNOWN)

    result = one(Forgetful, "HC-STREAM-004")
    assert result.verdict is Verdict.UNPROVEN
    assert "NOT_IMPLEMENTED(reason)" in result.reason


def test_a_denied_capability_is_not_applicable_with_its_reason() -> None:
    class Modest(RpcDriver):
        capabilities = RpcDriver.capabilities.but(streaming=NOT_IMPLEMENTED("planned for May"))

    result = one(Modest, "HC-STREAM-004")
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "planned for May" in result.reason


def test_an_unstable_capability_stays_outside_the_score() -> None:
    class Young(RpcDriver):
        capabilities = RpcDriver.capabilities.but(streaming=UNSTABLE("flaky upstream"))

    result = one(Young, "HC-STREAM-004")
    assert result.verdict is Verdict.PROVISIONAL
    assert result.reason == "streaming declared unstable; the rule ended pass"


@pytest.mark.parametrize("hook", ["make", "inbound", "outbound", "platform"])
def test_a_broken_driver_hook_is_unproven_and_named(hook: str) -> None:
    def broken(self: Any, *args: Any) -> Any:
        raise NotImplementedError("not yet")

    driver = type("Broken", (BotDriver,), {hook: broken})
    result = one(driver, "HC-CAP-001")
    assert result.verdict is Verdict.UNPROVEN
    assert f"the driver's {hook}" in result.reason


@pytest.mark.parametrize(
    ("hook", "empty", "rule"),
    [
        ("non_turns", lambda self: {}, "HC-REQ-008"),
        ("malformed", lambda self: {}, "HC-ERR-001"),
        ("misconfigured", lambda self, env: [], "HC-CONTRIB-004"),
        ("bad_credentials", (), "HC-AUTH-001"),
    ],
)
def test_an_empty_driver_hook_is_unproven_and_never_not_applicable(hook: str, empty: Any, rule: str) -> None:
    driver = type("Empty", (BotDriver,), {hook: empty})
    result = one(driver, rule)
    assert result.verdict is Verdict.UNPROVEN
    assert hook in result.reason


def test_a_driver_that_finds_the_expectation_in_a_callers_frame_is_caught() -> None:
    class Peeks(RpcDriver):
        """The liar `driver-peeks` (conformance-kit 6.2)."""

        def outbound(self, wire: Wire) -> Sequence[Out]:
            import sys

            from hosting_testkit.drivers import Text

            frame = sys._getframe()
            while frame is not None:
                if "answered" in frame.f_locals:
                    return [Text(frame.f_locals["answered"])]
                frame = frame.f_back
            return []

    assert one(Peeks, "HC-CAP-001").verdict is Verdict.FAIL


def test_a_driver_that_denies_everything_is_not_conformant() -> None:
    class AllImpossible(RpcDriver):
        """The liar `all-impossible` (conformance-kit 6.2)."""

        capabilities = RpcDriver.capabilities.but(
            **{name: IMPOSSIBLE("no") for name, _ in RpcDriver.capabilities.items()}
        )

    result = one(AllImpossible, "HC-CAP-003")
    assert result.verdict is Verdict.FAIL
    assert "profile 'rpc' requires" in result.reason


def test_a_selection_in_which_nothing_applies_is_no_success() -> None:
    report = run(BotDriver, Selection(patterns=["HC-STREAM-*"]))
    assert report.exit_code == 4
    with pytest.raises(NotConformant, match="NO RULE RAN"):
        report.raise_for_failures()


def test_check_channel_raises_the_whole_report() -> None:
    class Wrong(RpcDriver):
        def payload(self, turn: Turn) -> Mapping[str, Any]:
            return {**super().payload(turn), "input": "something else"}

    report = check_channel(Wrong, "HC-CAP-001")
    assert report.exit_code == 1
    with pytest.raises(NotConformant, match="the input at the target: FAILED"):
        report.raise_for_failures()
    check_channel(RpcDriver, "HC-CAP-001").raise_for_failures()


def test_each_item_gets_a_channel_and_secrets_of_its_own() -> None:
    seen: list[tuple[int, str]] = []

    async def body(k: Kit) -> None:
        async with k.host(Echo()) as h:
            await h.turn()
            seen.append((id(h.driver), h.env.secret("ann")))
        k.check("ran", True)

    assert ended(body).verdict is Verdict.PASS
    assert ended(body).verdict is Verdict.PASS
    assert seen[0][1] != seen[1][1]


def test_items_keep_their_order_and_run_once_per_transport() -> None:
    class TwoWays(BotDriver):
        capabilities = BotDriver.capabilities.but()

    names = [item.id for item in items_of(TwoWays(), Selection(tier=0))]
    assert names == [item.id for item in items_of(TwoWays(), Selection(tier=0))]
    assert len(names) == len(set(names)) == 26
    assert all(name.endswith("@webhook") and "[" not in name for name in names)


class Deaf(RpcChannel):
    """Refuses everything, the right credential included."""

    async def authenticate(self, request: Request) -> Caller:
        raise NotAuthenticated("No.")


class DeafDriver(RpcDriver):
    channel_class = Deaf


def test_a_turn_that_does_not_reach_the_target_is_the_channels_failure() -> None:
    async def body(k: Kit) -> None:
        target = Gate()
        async with k.host(target) as h:
            await h.turn("wait here")
            await target.gates.reached("wait here")

    result = ended(body, DeafDriver)
    assert result.verdict is Verdict.FAIL
    assert "the turn does not reach the target: 0 of 1 runs reached 'wait here'" in result.reason
    assert any("wire.refused 401" in line for line in result.log)


def test_a_rule_that_stumbles_over_a_channel_that_answers_nothing_is_unproven() -> None:
    async def body(k: Kit) -> None:
        async with k.host(Echo()) as h:
            (await h.turn()).texts[0]

    rule = Rule(text=catalogue()["HC-CAP-005"], body=body, needs=(), why="a test")
    result = run_item(DeafDriver, Item(rule, "http"))
    assert result.verdict is Verdict.UNPROVEN
    assert "an ordinary turn is not answered, see HC-CAP-001; the rule ended with IndexError" in result.reason
    assert run_item(RpcDriver, Item(replace(rule, body=_stumbles), "http")).verdict is Verdict.HARNESS_ERROR


async def _stumbles(k: Kit) -> None:
    raise IndexError("of its own making")


def test_what_nobody_can_catch_is_told_in_the_log_and_blames_no_item(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        def __del__(self) -> None:
            raise RuntimeError("in a finalizer")

    async def body(k: Kit) -> None:
        Broken()
        k.check("done", True)

    monkeypatch.setattr("sys.unraisablehook", lambda seen: pytest.fail("somebody else was told"))
    result = ended(body)
    assert result.verdict is Verdict.PASS
    assert list(result.log) == ["t=0.000 unraisable RuntimeError: in a finalizer"]
