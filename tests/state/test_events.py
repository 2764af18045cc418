"""Platform events: claimed once, in claim order per lane, under a fenced lease (contract 4.3, 4.8)."""

from __future__ import annotations

import pytest

from hosting.state import HostStateStore, StateConflict
from hosting.state.tables import events
from hosting.state.tables.events import EventEnd, TakenEvent


async def claim(store: HostStateStore, delivery: str, lane: str | None = "l", channel: str = "c") -> bool:
    (rows,) = await store.execute(
        events.claim_event(
            channel=channel,
            delivery_id=delivery,
            lane=lane,
            payload=f'"{delivery}"',
            now_ms=1,
            expires_ms=100,
        )
    )
    return bool(rows)


async def take(store: HostStateStore, now: int = 10, limit: int = 10) -> list[TakenEvent]:
    (rows,) = await store.execute(events.take_events(now_ms=now, lease_until_ms=now + 5, limit=limit))
    return events.read_events(rows)


def names(taken: list[TakenEvent]) -> list[str]:
    return [event.delivery_id for event in taken]


async def test_a_delivery_is_new_once_per_channel(store: HostStateStore) -> None:
    assert [await claim(store, "d"), await claim(store, "d"), await claim(store, "d", channel="other")] == [
        True,
        False,
        True,
    ]


async def test_one_lane_is_worked_on_one_event_at_a_time_in_claim_order(store: HostStateStore) -> None:
    for delivery in ("z", "a", "m"):
        await claim(store, delivery)
    order: list[str] = []
    for _ in range(3):
        (event,) = await take(store)
        assert await take(store) == []
        order.append(event.delivery_id)
        await store.execute(events.end_event(event.seq, event.fence, "done"))
    assert order == ["z", "a", "m"]
    assert await take(store) == []


async def test_lanes_do_not_wait_for_each_other_and_no_lane_passes_all(store: HostStateStore) -> None:
    for delivery, lane in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("stop", None), ("cancel", None)):
        await claim(store, delivery, lane)
    assert names(await take(store)) == ["a1", "b1", "stop", "cancel"]


async def test_no_more_than_the_limit_are_taken_oldest_first(store: HostStateStore) -> None:
    for number in range(5):
        await claim(store, f"d{number}", f"lane{number}")
    assert names(await take(store, limit=2)) == ["d0", "d1"]
    assert names(await take(store, limit=2)) == ["d2", "d3"]


async def test_an_expired_lease_is_taken_over_and_the_first_holder_is_fenced_off(
    store: HostStateStore,
) -> None:
    await claim(store, "d")
    (first,) = await take(store, now=10)
    assert await take(store, now=14) == []
    (second,) = await take(store, now=15)
    assert (second.attempts, second.payload) == (2, '"d"')
    for late in (
        events.end_event(first.seq, first.fence, "done"),
        events.renew_event(first.seq, first.fence, lease_until_ms=99),
        events.requeue_event(first.seq, first.fence),
    ):
        with pytest.raises(StateConflict):
            await store.execute(late)
    await store.execute(events.end_event(second.seq, second.fence, "done"))


async def test_a_renewed_lease_is_not_taken_over(store: HostStateStore) -> None:
    await claim(store, "d")
    (event,) = await take(store, now=10)
    await store.execute(events.renew_event(event.seq, event.fence, lease_until_ms=30))
    assert await take(store, now=29) == []
    assert names(await take(store, now=30)) == ["d"]


async def test_an_event_given_back_keeps_its_place_and_its_attempt(store: HostStateStore) -> None:
    await claim(store, "first")
    await claim(store, "second")
    (event,) = await take(store)
    await store.execute(events.requeue_event(event.seq, event.fence))
    (again,) = await take(store)
    assert (again.delivery_id, again.attempts) == ("first", 1)
    assert again.fence > event.fence


async def test_an_event_out_of_attempts_is_dead_and_its_lane_goes_on(store: HostStateStore) -> None:
    await claim(store, "poison")
    await claim(store, "next")
    for now in (10, 20, 30):
        assert names(await take(store, now=now)) == ["poison"]
    early = await store.execute(events.bury_events(now_ms=34, max_attempts=3))
    assert early == [[]]
    dead, taken = await store.execute(
        events.bury_events(now_ms=35, max_attempts=3),
        events.take_events(now_ms=35, lease_until_ms=40, limit=9),
    )
    assert names(events.read_events(dead)) == ["poison"]
    assert names(events.read_events(taken)) == ["next"]


@pytest.mark.parametrize("state", ["done", "settled", "dead"])
async def test_an_ended_event_still_counts_as_seen(store: HostStateStore, state: EventEnd) -> None:
    await claim(store, "d")
    (event,) = await take(store)
    await store.execute(events.end_event(event.seq, event.fence, state))
    assert not await claim(store, "d")
    assert await take(store, now=1_000) == []
