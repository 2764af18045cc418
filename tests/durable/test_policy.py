"""Waits between attempts (contract 11.2)."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hosting import PushRetryable, RateLimited
from hosting.delivery.outbox import RetryPolicy as OutboxPolicy
from hosting.durable import RetryPolicy, TaskRetryable
from hosting.durable.policy import retry_after_of


def test_waits_grow_up_to_the_longest() -> None:
    policy = RetryPolicy()
    assert [policy.wait(attempt) for attempt in range(1, 10)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_thousandth_wait_is_the_longest_and_no_overflow() -> None:
    assert RetryPolicy(backoff_multiplier=1e300).wait(10_000) == 60.0


@pytest.mark.parametrize(("drawn", "wait"), [(0.0, 4.0), (0.5, 6.0), (1.0, 8.0)])
def test_jitter_shortens_a_wait_by_up_to_half(drawn: float, wait: float) -> None:
    assert RetryPolicy().wait(4, random=lambda: drawn) == wait


def test_without_jitter_a_wait_is_exact() -> None:
    assert RetryPolicy(jitter=False).wait(4, random=lambda: 0.0) == 8.0


@pytest.mark.parametrize(
    ("asked", "wait"),
    [(0.5, 0.5), (300.0, 300.0), (0.0, 0.0), (-5.0, 0.0), (math.nan, 4.0), (1e30, 31_536_000.0)],
)
def test_what_a_server_asks_for_wins(asked: float, wait: float) -> None:
    assert RetryPolicy(initial_backoff_seconds=4).wait(1, asked, random=lambda: 1.0) == wait


@pytest.mark.parametrize("error", [TaskRetryable, PushRetryable, RateLimited])
def test_exceptions_that_carry_the_servers_wish(error: Any) -> None:
    assert retry_after_of(error("later", retry_after=7.0)) == 7.0
    assert retry_after_of(error("later")) is None


def test_other_exceptions_carry_none() -> None:
    assert retry_after_of(RuntimeError("later")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_attempts": 0},
        {"initial_backoff_seconds": -1},
        {"backoff_multiplier": 0.5},
        {"max_backoff_seconds": math.inf},
        {"max_backoff_seconds": math.nan},
    ],
)
def test_a_number_that_makes_no_sense_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryPolicy(**wrong)


def test_a_policy_is_kept_and_read_by_other_releases() -> None:
    policy = RetryPolicy(max_attempts=2, jitter=False)
    assert RetryPolicy.from_dict(policy.to_dict()) == policy
    assert RetryPolicy.from_dict({"max_attempts": 2, "new_field": 1}) == RetryPolicy(max_attempts=2)


def test_the_outbox_uses_the_same_policy() -> None:
    assert OutboxPolicy is RetryPolicy
