"""The sweep takes what has expired, in small batches, and nothing else (contract 9.1, 15.4)."""

from __future__ import annotations

import asyncio
import logging

from hosting.state import HostStateStore, Statement, Sweeper, sweep
from hosting.state.tables import (
    aliases,
    cancels,
    checkpoints,
    events,
    identity_keys,
    instances,
    locks,
    outbox,
    records,
    runs,
    sessions,
    snapshots,
    tasks,
    turns,
)
from hosting_testkit import VirtualClock

DAY = 24 * 3_600_000


async def test_expired_rows_of_every_table_go_and_live_ones_stay(store: HostStateStore) -> None:
    for name, expires in (("old", 100), ("new", 101), ("kept", None)):
        await store.execute(
            sessions.create_session(
                isolation_key="me", key=name, session_id=name, now_ms=1, expires_ms=expires and expires - DAY
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
        events.take_events("host", now_ms=2, limit=1),
        outbox.take_deliveries("host", now_ms=2, limit=1),
    )
    assert await sweep(store, 100) == 0
    (event,), (delivery,) = events.read_events(taken), outbox.read_deliveries(sending)
    await store.execute(
        events.end_event(event.seq, event.fence, "done"),
        outbox.end_delivery(delivery.id, 1, "sent", now_ms=3),
    )
    assert await sweep(store, 4) == 0
    assert await sweep(store, 100) == 2


async def test_the_work_of_a_run_goes_with_the_run_and_not_before(store: HostStateStore) -> None:
    for id in ("old", "new"):
        await store.execute(
            runs.add_run(
                run_id=id,
                token_hash=id,
                channel="c",
                caller="",
                response_id=id,
                isolation_key=None,
                request="{}",
                now_ms=1,
            ),
            events.claim_event(
                kind="run",
                channel="c",
                delivery_id=id,
                lane=None,
                payload="{}",
                now_ms=1,
                expires_ms=10**15,
            ),
        )
    (taken,) = await store.execute(events.take_events("host", now_ms=2, limit=2))
    for event, expires in zip(events.read_events(taken), (100, 101), strict=True):
        await store.execute(
            *runs.begin_run(event.delivery_id, event.fence),
            runs.finish_run(event.delivery_id, event.fence, "completed", now_ms=3, expires_ms=expires),
            events.end_event(event.seq, event.fence, "done"),
        )
    assert await sweep(store, 99) == 0
    assert await sweep(store, 100) == 1
    old, new, left = await store.execute(runs.load_run("old"), runs.load_run("new"), events.count_events())
    assert (len(old), len(new), events.read_counts(left)) == (0, 1, {"done": 1})


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


def run(name: str) -> list[Statement]:
    return [
        runs.add_run(
            run_id=name,
            token_hash=name,
            channel="c",
            caller="",
            response_id=name,
            isolation_key=None,
            request="{}",
            now_ms=1,
        ),
        *runs.begin_run(name, 1),
        runs.append_to_log(name, 1, 1, "{}"),
        runs.append_to_log(name, 1, 2, "{}"),
    ]


async def test_an_ended_run_goes_with_its_log_and_one_under_way_stays(store: HostStateStore) -> None:
    await store.execute(*run("old"), *run("new"), *run("open"))
    for name, expires in (("old", 100), ("new", 101)):
        await store.execute(runs.finish_run(name, 1, "completed", now_ms=2, expires_ms=expires))
    assert await sweep(store, 100) == 1
    for name, there in (("old", 0), ("new", 2), ("open", 2)):
        row, log = await store.execute(runs.load_run(name), runs.load_log(name, after=0, limit=9))
        assert (len(row), len(log)) == (bool(there), there)


async def test_an_ended_task_goes_and_one_that_waits_stays(store: HostStateStore) -> None:
    for id in ("ended", "waits"):
        await store.execute(
            tasks.add_task(
                id=id,
                name="n",
                payload="{}",
                trace=None,
                order_key=None,
                policy="{}",
                max_attempts=3,
                due_ms=1,
                now_ms=1,
            )
        )
    await store.execute(tasks.cancel_task("ended", now_ms=2, expires_ms=50))
    assert await sweep(store, 100) == 1
    assert [bool((await store.execute(tasks.load_task(id)))[0]) for id in ("ended", "waits")] == [False, True]


async def test_what_hosts_left_that_are_gone_goes_and_what_living_ones_hold_stays(
    store: HostStateStore,
) -> None:
    now = 10 * DAY
    await store.execute(
        instances.keep_instance("living", now_ms=1, until_ms=now + 1),
        instances.keep_instance("late", now_ms=1, until_ms=now - 1),
        instances.keep_instance("gone", now_ms=1, until_ms=now - DAY),
        cancels.ask_to_cancel("asked", "stop", until_ms=now + 1),
        cancels.ask_to_cancel("forgotten", "stop", until_ms=now),
    )
    for owner in ("living", "late", "gone"):
        await store.execute(
            locks.take_lock("me", owner, holder=owner, owner=owner, now_ms=now),
            locks.wait_for_lock("me", owner, holder=f"{owner} waits", owner=owner, ahead=False),
        )
    assert await sweep(store, now) > 0
    assert await sweep(store, now) == 0
    assert cancels.read_cancels((await store.execute(cancels.load_cancels(now_ms=1)))[0]) == {"asked": "stop"}
    for owner, there in (("living", 1), ("late", 0), ("gone", 0)):
        held, waiting = await store.execute(
            locks.load_lock("me", owner, now_ms=now), locks.load_waits("me", owner, now_ms=now)
        )
        assert (len(held), len(waiting)) == (there, there)
    assert await store.execute(instances.next_end_of_others("living")) == [[(now - 1,)]]


async def test_of_several_hosts_on_one_store_one_sweeps_in_a_minute(store: HostStateStore) -> None:
    clock = VirtualClock(start=1_000.0)
    first, second = (Sweeper(store, clock=clock, logger=logging.getLogger("tests.sweep")) for _ in range(2))
    working = [asyncio.create_task(sweeper.run()) for sweeper in (first, second)]

    async def swept_by(sweeper: Sweeper | None, *, looks: int = 100_000) -> bool:
        await store.execute(records.put_record("ns", "old", "1", now_ms=1, expires_ms=5))
        if sweeper is not None:
            sweeper.nudge()
        for _ in range(looks):
            await asyncio.sleep(0.002)
            (rows,) = await store.execute(records.scan_records("ns", limit=9, now_ms=1))
            if not rows:
                return True
        return False

    async with asyncio.timeout(30):
        assert await swept_by(first)
        while await swept_by(None, looks=100):
            pass  # it goes on until there is nothing left
        clock.advance(10.0)
        assert not await swept_by(second, looks=100)
        clock.advance(50.0)
        assert await swept_by(first)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
