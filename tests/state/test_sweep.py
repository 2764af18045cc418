"""The sweep takes what has expired, in small batches, and nothing else (contract 9.1, 15.4)."""

from __future__ import annotations

from hosting.state import HostStateStore, sweep
from hosting.state.tables import (
    aliases,
    checkpoints,
    events,
    identity_keys,
    outbox,
    records,
    sessions,
    snapshots,
    turns,
)

DAY = 24 * 3_600_000


async def test_expired_rows_of_every_table_go_and_live_ones_stay(store: HostStateStore) -> None:
    for name, expires in (("old", 100), ("new", 101), ("kept", None)):
        await store.execute(
            sessions.create_session(
                isolation_key="me", key=name, session_id=name, now_ms=1, expires_ms=expires
            ),
            snapshots.add_snapshot(
                session_id="kept" if name == "kept" else name, turn_id=name, head=None, state=None, now_ms=1
            ),
            turns.begin_turn(turn_id=name, channel="c", now_ms=1),
            turns.finish_turn(name, 1, "completed", now_ms=2, expires_ms=expires),
            records.put_record("ns", name, "1", now_ms=1, expires_ms=expires),
        )
    assert await sweep(store, 100) == 3
    assert await sweep(store, 100) == 0
    for name, there in (("old", 0), ("new", 1), ("kept", 1)):
        rows = await store.execute(
            sessions.load_session("me", name),
            snapshots.load_snapshot(name, name),
            turns.load_turn(name),
            records.get_record("ns", name, now_ms=1),
        )
        assert [len(found) for found in rows] == [there] * 4


async def test_work_that_has_not_ended_stays_whatever_its_time(store: HostStateStore) -> None:
    for id in ("a", "b"):
        await store.execute(
            events.claim_event(channel="c", delivery_id=id, lane=id, payload="{}", now_ms=1, expires_ms=5),
            outbox.add_delivery(
                id=id,
                turn_id="t",
                channel="c",
                destination="{}",
                lane=id,
                payload="{}",
                now_ms=1,
                expires_ms=5,
            ),
        )
    taken, sending = await store.execute(
        events.take_events(now_ms=2, lease_until_ms=3, limit=1),
        outbox.take_deliveries(now_ms=2, lease_until_ms=3, limit=1),
    )
    assert await sweep(store, 100) == 0
    (event,), (delivery,) = events.read_events(taken), outbox.read_deliveries(sending)
    await store.execute(
        events.end_event(event.seq, event.fence, "done"),
        outbox.end_delivery(delivery.id, 1, "sent", now_ms=3),
    )
    assert await sweep(store, 4) == 0
    assert await sweep(store, 100) == 2


async def test_a_batch_is_bounded_and_repeating_it_gets_through(store: HostStateStore) -> None:
    for number in range(25):
        await store.execute(records.put_record("ns", str(number), "1", now_ms=1, expires_ms=5))
    assert [await sweep(store, 5, limit=10) for _ in range(4)] == [10, 10, 5, 0]


async def test_names_never_expire(store: HostStateStore) -> None:
    await store.execute(
        aliases.add_alias("me", "k", now_ms=1), identity_keys.add_identity_key("c", "7", "me", now_ms=1)
    )
    await sweep(store, 10**15)
    alias, key = await store.execute(aliases.load_alias("me"), identity_keys.load_identity_key("c", "7"))
    assert (aliases.read_alias(alias), identity_keys.read_identity_key(key)) == ("k", "me")


async def test_a_checkpoint_without_a_session_goes_after_a_day(store: HostStateStore) -> None:
    for session in ("there", "never came to be"):
        await store.execute(
            checkpoints.save_checkpoint(
                session_id=session, checkpoint_id="c", workflow_name="w", payload="{}", now_ms=1
            )
        )
    await store.execute(sessions.create_session(isolation_key="me", key="k", session_id="there", now_ms=1))
    assert await sweep(store, DAY) == 0
    assert await sweep(store, DAY + 1) == 1
    assert (await store.execute(checkpoints.load_checkpoint("there", "c")))[0]
