"""A plan is data: it prints, it survives JSON, and it decides the same for the same seed."""

from __future__ import annotations

from typing import Any

import pytest

from hosting_testkit.faults import (
    Burst,
    Calls,
    DeliverThenTimeout,
    Disconnect,
    Duplicate,
    FaultPlan,
    FaultRun,
    Late,
    Refuse,
    Reply,
    Rule,
    Timeout,
)


def everything() -> FaultPlan:
    plan = FaultPlan(seed=7)
    plan.on("sendMessage").nth(2).reply(429, retry_after=3)
    plan.on("sendMessage").first(3).timeout()
    plan.on("editMessage").always().deliver_then_timeout(after=30)
    plan.on("editMessage").after(2).reset(after_bytes=10)
    plan.on().sometimes(0.25).refuse()
    plan.on("getMe").slow(bytes_per_second=100)
    plan.on("getMe").delay(2)
    plan.on("getMe").malformed("<html>")
    plan.on("message").duplicate(gap=5)
    plan.on("message").reorder(window=2)
    plan.on("message").late(60)
    plan.on("message").burst(3)
    return plan.on("message").nth(1).disconnect(at="before-answer")


def test_a_plan_survives_json_whole() -> None:
    plan = everything()
    again = FaultPlan.from_json(plan.to_json())
    assert again == plan and again.rules == plan.rules and again.seed == 7
    assert again != FaultPlan(plan.rules, seed=8)
    assert eval(repr(plan)) == plan


def test_a_plan_prints_one_rule_a_line() -> None:
    assert str(everything()).splitlines()[:6] == [
        "seed 7",
        "on sendMessage, call 2: reply status=429 retry_after=3",
        "on sendMessage, calls 1 to 3: timeout",
        "on editMessage, every call: deliver then timeout after=30",
        "on editMessage, calls from 3: reset after_bytes=10",
        "on *, every call with chance 0.25: refuse",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "truncated"),
        ("[]", "got `array`"),
        ('{"format":2,"seed":0,"rules":[]}', "found 2, expected 1"),
        ('{"format":1,"seed":0,"rules":[{"on":"x","calls":{},"fault":{"type":"explode"}}]}', "explode"),
        (
            '{"format":1,"seed":0,"rules":[{"on":"x","calls":{},"fault":{"type":"late","second":3}}]}',
            "second",
        ),
    ],
)
def test_what_is_no_plan_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        FaultPlan.from_json(text)


@pytest.mark.parametrize("wrong", [lambda o: o.nth(0), lambda o: o.first(0), lambda o: o.sometimes(1.5)])
def test_calls_that_cannot_be_are_refused_and_add_nothing(wrong: Any) -> None:
    plan = FaultPlan()
    with pytest.raises(ValueError, match="found"):
        wrong(plan.on("x"))
    assert plan.rules == []


def test_the_first_rule_that_fits_counts_for_a_call() -> None:
    plan = FaultPlan()
    plan.on("a").nth(2).refuse()
    plan.on("a").first(3).timeout()
    run = FaultRun(plan)
    found = [run.outbound("a") for _ in range(4)]
    assert found == [Timeout(), Refuse(), Timeout(), None]
    assert run.outbound("b") is None


def test_all_rules_that_fit_count_for_an_event_and_the_two_directions_do_not_mix() -> None:
    plan = FaultPlan()
    plan.on().late(1)
    plan.on("message").duplicate(gap=2)
    plan.on().nth(2).refuse()
    run = FaultRun(plan)
    assert run.inbound("message") == [Late(seconds=1), Duplicate(gap=2)]
    assert run.inbound("button") == [Late(seconds=1)]
    assert [run.outbound("x"), run.outbound("y"), run.outbound("z")] == [None, Refuse(), None]


def test_a_rule_that_is_added_later_counts_from_then_on() -> None:
    plan = FaultPlan()
    run = FaultRun(plan)
    assert run.outbound("a") is None
    plan.on("a").nth(2).reply(500)
    assert [run.outbound("a") for _ in range(3)] == [None, Reply(status=500), None]
    assert [done.call for done in run.applied] == [3]


def test_chance_is_the_seeds_and_nothing_elses() -> None:
    plan = FaultPlan(seed=3)
    plan.on("a").sometimes(0.5).timeout()
    plan.on("b").sometimes(0.5).timeout()
    alone, mixed = FaultRun(plan), FaultRun(FaultPlan.from_json(plan.to_json()))
    first = [alone.outbound("a") for _ in range(40)]
    second: list[object] = []
    for _ in range(40):
        mixed.outbound("b")
        second.append(mixed.outbound("a"))
    assert first == second and 10 < first.count(None) < 30
    other = FaultRun(FaultPlan(plan.rules, seed=4))
    assert [other.outbound("a") for _ in range(40)] != first


def test_a_run_replays_without_chance() -> None:
    plan = FaultPlan(seed=3)
    plan.on("a").sometimes(0.5).deliver_then_timeout()
    run = FaultRun(plan)
    first = [run.outbound("a") for _ in range(20)]
    exact = run.replay()
    assert all(rule.calls.chance == 1 and rule.calls.first == rule.calls.last for rule in exact.rules)
    again = FaultRun(exact)
    assert [again.outbound("a") for _ in range(20)] == first
    assert str(run.applied[0]) == str(exact.rules[0])
    assert exact.rules[0] == Rule(
        "a",
        Calls(first.index(DeliverThenTimeout()) + 1, first.index(DeliverThenTimeout()) + 1),
        DeliverThenTimeout(),
    )


def test_faults_of_events_have_their_usual_values() -> None:
    plan = FaultPlan()
    plan.on("m").burst(3)
    plan.on("m").disconnect()
    assert FaultRun(plan).inbound("m") == [Burst(size=3, patience=60.0), Disconnect(at="mid-body")]
