"""Platform events: claimed once, in claim order per lane, by a fence (contract 4.3, 4.8)."""

from __future__ import annotations

import pytest

from hosting.state import HostStateStore, StateConflict
from hosting.state.tables import events, instances
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


async def take(store: HostStateStore, now: int = 10, limit: int = 10, host: str = "host") -> list[TakenEvent]:
    """What a host takes that has just renewed its lease of 5 ms."""
    _, rows = await store.execute(
        instances.keep_instance(host, now_ms=now, until_ms=now + 5),
        events.take_events(host, now_ms=now, limit=limit),
    )
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


async def test_what_a_dead_host_held_is_taken_over_and_it_is_fenced_off(store: HostStateStore) -> None:
    await claim(store, "d")
    (first,) = await take(store, now=10)
    assert await take(store, now=14, host="other") == []
    (second,) = await take(store, now=15, host="other")
    assert (second.attempts, second.payload) == (2, '"d"')
    for late in (
        events.end_event(first.seq, first.fence, "done"),
        events.mark_event_seen(first.seq, first.fence, "[]"),
        events.requeue_event(first.seq, first.fence),
    ):
        with pytest.raises(StateConflict):
            await store.execute(late)
    await store.execute(events.end_event(second.seq, second.fence, "done"))


async def test_a_host_that_renews_keeps_what_it_holds(store: HostStateStore) -> None:
    await claim(store, "d")
    await take(store, now=10)
    await store.execute(instances.keep_instance("host", now_ms=14, until_ms=30))
    assert await take(store, now=29, host="other") == []
    assert names(await take(store, now=30, host="other")) == ["d"]


async def test_a_host_that_leaves_frees_what_it_holds_at_once(store: HostStateStore) -> None:
    await claim(store, "d")
    await take(store, now=10)
    await store.execute(instances.leave_instance("host"))
    assert names(await take(store, now=10, host="other")) == ["d"]


async def test_what_was_shown_is_known_to_whoever_takes_over(store: HostStateStore) -> None:
    await claim(store, "d")
    (first,) = await take(store, now=10)
    await store.execute(events.mark_event_seen(first.seq, first.fence, '["7"]'))
    (second,) = await take(store, now=15, host="other")
    assert (first.seen, second.seen) == (None, '["7"]')


async def test_an_event_given_back_keeps_its_place_and_its_attempt(store: HostStateStore) -> None:
    await claim(store, "first")
    await claim(store, "second")
    (event,) = await take(store)
    await store.execute(events.requeue_event(event.seq, event.fence))
    (again,) = await take(store)
    assert (again.delivery_id, again.attempts) == ("first", 1)
    assert again.fence > event.fence


async def test_a_dead_event_lets_its_lane_go_on_and_can_be_tried_again(store: HostStateStore) -> None:
    await claim(store, "poison")
    await claim(store, "next")
    (poison,) = await take(store)
    await store.execute(events.end_event(poison.seq, poison.fence, "dead"))
    assert names(await take(store)) == ["next"]

    (rows,) = await store.execute(events.load_dead_events())
    assert names(events.read_events(rows)) == ["poison"]
    await store.execute(events.revive_event(poison.seq, expires_ms=100))
    (again,) = await take(store)
    assert (again.delivery_id, again.attempts) == ("poison", 1)
    with pytest.raises(StateConflict):
        await store.execute(events.revive_event(poison.seq, expires_ms=100))


@pytest.mark.parametrize("state", ["done", "settled", "dead"])
async def test_an_ended_event_still_counts_as_seen(store: HostStateStore, state: EventEnd) -> None:
    await claim(store, "d")
    (event,) = await take(store)
    await store.execute(events.end_event(event.seq, event.fence, state))
    assert not await claim(store, "d")
    assert await take(store, now=1_000) == []
