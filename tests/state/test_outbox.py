"""The outbox: in order per destination, retried only if it surely did not arrive (contract 4.4, 4.7)."""

from __future__ import annotations

import pytest

from hosting.state import HostStateStore, StateConflict
from hosting.state.tables import instances, outbox
from hosting.state.tables.outbox import Delivery, DeliveryEnd


async def add(store: HostStateStore, *ids: str, lane: str = "chat", due: int | None = None) -> None:
    for id in ids:
        await store.execute(
            outbox.add_delivery(
                id=id,
                turn_id="t",
                channel="c",
                destination="{}",
                lane=lane,
                payload=f'"{id}"',
                now_ms=1,
                due_ms=due,
                expires_ms=100,
            )
        )


async def take(store: HostStateStore, now: int = 10) -> list[Delivery]:
    """What a host takes that has just renewed its lease of 5 ms."""
    _, rows = await store.execute(
        instances.keep_instance("host", now_ms=now, until_ms=now + 5),
        outbox.take_deliveries("host", now_ms=now, limit=10),
    )
    return outbox.read_deliveries(rows)


async def test_a_destination_gets_its_replies_one_at_a_time_in_order(store: HostStateStore) -> None:
    await add(store, "z", "a", "m")
    await add(store, "elsewhere", lane="other chat")
    first = await take(store)
    assert [(row.id, row.state, row.attempts) for row in first] == [
        ("z", "sending", 1),
        ("elsewhere", "sending", 1),
    ]
    assert await take(store) == []
    await store.execute(outbox.end_delivery("z", 1, "sent", native_ids='["7"]', now_ms=11))
    assert [row.id for row in await take(store)] == ["a"]


@pytest.mark.parametrize("end", ["sent", "unknown", "dead"])
async def test_an_ended_delivery_is_never_taken_again_and_lets_the_next_one_go(
    store: HostStateStore, end: DeliveryEnd
) -> None:
    await add(store, "a", "b")
    await take(store)
    await store.execute(outbox.end_delivery("a", 1, end, now_ms=11))
    assert [row.id for row in await take(store, now=1_000)] == ["b"]


async def test_a_retry_waits_its_time_and_holds_the_later_ones_back(store: HostStateStore) -> None:
    await add(store, "a", "b")
    await take(store)
    await store.execute(outbox.retry_delivery("a", 1, due_ms=50, now_ms=11))
    assert outbox.read_due_ms((await store.execute(outbox.next_due_delivery()))[0]) == 1
    assert await take(store, now=49) == []
    assert [(row.id, row.attempts) for row in await take(store, now=50)] == [("a", 2)]


async def test_what_is_said_of_an_earlier_attempt_does_not_count(store: HostStateStore) -> None:
    await add(store, "a")
    await take(store)
    await store.execute(outbox.retry_delivery("a", 1, due_ms=20, now_ms=11))
    await take(store, now=20)
    for late in (
        outbox.end_delivery("a", 1, "dead", now_ms=21),
        outbox.retry_delivery("a", 1, due_ms=30, now_ms=21),
        outbox.note_native_ids("a", 1, '["x"]', now_ms=21),
    ):
        with pytest.raises(StateConflict):
            await store.execute(late)


async def test_a_delivery_whose_sender_is_gone_is_found_and_not_taken_again(store: HostStateStore) -> None:
    await add(store, "a")
    await take(store, now=10)
    await store.execute(outbox.note_native_ids("a", 1, '["m1"]', now_ms=11))
    assert await store.execute(outbox.load_stuck_deliveries(now_ms=14, limit=5)) == [[]]
    (rows,) = await store.execute(outbox.load_stuck_deliveries(now_ms=15, limit=5))
    assert await take(store, now=1_000) == []
    (stuck,) = outbox.read_deliveries(rows)
    await store.execute(outbox.end_delivery(stuck.id, stuck.attempts, "unknown", now_ms=21))
    ended = outbox.read_delivery((await store.execute(outbox.load_delivery("a")))[0])
    assert ended is not None
    assert (ended.state, ended.native_ids) == ("unknown", '["m1"]')


async def test_a_lost_delivery_can_be_sent_again(store: HostStateStore) -> None:
    await add(store, "a", "b")
    await take(store)
    await store.execute(outbox.end_delivery("a", 1, "dead", now_ms=11))
    (rows,) = await store.execute(outbox.load_lost_deliveries())
    assert [row.id for row in outbox.read_deliveries(rows)] == ["a"]
    await store.execute(outbox.revive_delivery("a", now_ms=12, expires_ms=200))
    assert [(row.id, row.attempts) for row in await take(store, now=12)] == [("a", 1)]
    with pytest.raises(StateConflict):
        await store.execute(outbox.revive_delivery("b", now_ms=12, expires_ms=200))


async def test_the_next_due_time_is_the_earliest_pending_one(store: HostStateStore) -> None:
    assert outbox.read_due_ms((await store.execute(outbox.next_due_delivery()))[0]) is None
    await add(store, "late", lane="1", due=70)
    await add(store, "soon", lane="2", due=30)
    assert outbox.read_due_ms((await store.execute(outbox.next_due_delivery()))[0]) == 30


async def test_deliveries_of_a_turn_come_in_order_and_an_id_is_taken_once(store: HostStateStore) -> None:
    await add(store, "b", "a")
    (rows,) = await store.execute(outbox.load_deliveries_of_turn("t"))
    assert [row.id for row in outbox.read_deliveries(rows)] == ["b", "a"]
    with pytest.raises(StateConflict):
        await add(store, "b")
