"""When a worker that died is replaced."""

from __future__ import annotations

from hosting.supervisor.back_off import BackOff


def test_the_first_death_is_mended_at_once_and_quick_ones_ever_later() -> None:
    back_off = BackOff()

    assert [back_off.pause(1.0) for _ in range(8)] == [0, 1, 2, 4, 8, 16, 30, 30]


def test_a_worker_that_had_worked_is_replaced_at_once() -> None:
    back_off = BackOff()
    for _ in range(5):
        back_off.pause(1.0)

    assert [back_off.pause(3600.0), back_off.pause(1.0)] == [0, 1]


def test_a_worker_that_dies_for_a_day_is_still_replaced() -> None:
    back_off = BackOff()
    for _ in range(2000):
        back_off.pause(1.0)

    assert back_off.pause(1.0) == 30
