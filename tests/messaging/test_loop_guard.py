"""Talks between bots end (contract 17.4)."""

from __future__ import annotations

from hosting.messaging import LoopGuard


def test_bots_are_answered_a_few_times_in_a_row_and_people_always() -> None:
    guard = LoopGuard(limit=2)
    assert [guard.lets_pass("c", from_bot=True) for _ in range(4)] == [True, True, False, False]
    assert guard.lets_pass("c", from_bot=False)
    assert guard.lets_pass("c", from_bot=True)


def test_conversations_do_not_count_for_each_other() -> None:
    guard = LoopGuard(limit=1)
    assert guard.lets_pass("a", from_bot=True)
    assert guard.lets_pass("b", from_bot=True)
    assert not guard.lets_pass("a", from_bot=True)


def test_it_remembers_a_bounded_number_of_conversations() -> None:
    guard = LoopGuard(limit=1)
    assert guard.lets_pass("first", from_bot=True)
    for number in range(1_000):
        guard.lets_pass(str(number), from_bot=True)
    assert guard.lets_pass("first", from_bot=True)
    assert not guard.lets_pass("999", from_bot=True)
