"""Work that hosts take from a store: in order, once, under a fence."""

from __future__ import annotations

import asyncio

from hosting import HostStateStore
from hosting.state import StateConflict, Statement
from hosting.state.tables import checkpoints, events, instances, locks, outbox, tasks

from ..check import StoreCheck, must, must_be, must_raise
from ..materials import NOW, alive, claim, opened, replicas, take
from ..place import StorePlace


async def _in_order(place: StorePlace) -> None:
    async with opened(place) as store:
        names = ["z", "a", "m", "b", "y"]
        await store.execute(*alive("host"))
        for name in names:
            await store.execute(claim(name, None))
            await store.execute(_reply(name, f"lane {name}"))
            await store.execute(_checkpoint(name))
        taken = await take(store)
        must_be([event.delivery_id for event in taken], names, "events in the order of their claims")
        must(
            [event.seq for event in taken] == sorted({event.seq for event in taken}),
            "seq does not grow with each row",
        )
        (rows,) = await store.execute(outbox.load_deliveries_of_turn("t"))
        must_be([reply.id for reply in outbox.read_deliveries(rows)], names, "replies in the order of adding")
        (rows,) = await store.execute(checkpoints.load_checkpoints("s", "w"))
        must_be(
            [row.checkpoint_id for row in checkpoints.read_checkpoints(rows)],
            names,
            "checkpoints in their order",
        )


async def _lanes(place: StorePlace) -> None:
    async with opened(place) as store:
        await store.execute(*alive("host"))
        for name, lane in (
            ("a1", "a"),
            ("a2", "a"),
            ("b1", "b"),
            ("stop", None),
            ("a3", "a"),
            ("cancel", None),
        ):
            await store.execute(claim(name, lane))
        first = await take(store)
        must_be(
            [event.delivery_id for event in first], ["a1", "b1", "stop", "cancel"], "the first of each lane"
        )
        must_be(await take(store), [], "events while the first of each lane is worked on")
        await store.execute(events.end_event(first[0].seq, first[0].fence, "done"))
        must_be(
            [event.delivery_id for event in await take(store)], ["a2"], "the next of the lane that is free"
        )


async def _limit(place: StorePlace) -> None:
    async with opened(place) as store:
        await store.execute(*alive("host"))
        for number in range(9):
            await store.execute(claim(f"{number}", f"{number}"))
        taken = [[event.delivery_id for event in await take(store, limit=4)] for _ in range(4)]
        must_be(taken, [["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8"], []], "events taken four at a time")


async def _takers(place: StorePlace) -> None:
    async with replicas(place, 2) as stores:
        await stores[0].execute(*alive("host"))
        for number in range(48):
            await stores[0].execute(claim(f"{number:02}", f"{number % 12}"))
        done: list[str] = []
        lanes: set[str | None] = set()

        async def work(store: HostStateStore) -> None:
            while len(done) < 48:
                for event in await take(store, limit=2):
                    must(
                        event.lane not in lanes, f"two events of the lane {event.lane} are worked on at once"
                    )
                    lanes.add(event.lane)
                    await asyncio.sleep(0)
                    lanes.remove(event.lane)
                    done.append(event.delivery_id)
                    await store.execute(events.end_event(event.seq, event.fence, "done"))
                await asyncio.sleep(0)

        await asyncio.gather(*(work(stores[number % 2]) for number in range(6)))
        must_be(
            sorted(done), [f"{number:02}" for number in range(48)], "events that six workers did, each once"
        )
        for lane in range(12):
            own = [name for name in done if int(name) % 12 == lane]
            must_be(own, sorted(own), f"the order in which the events of lane {lane} were done")


async def _fences(place: StorePlace) -> None:
    async with replicas(place, 2) as (first, second):
        await first.execute(instances.keep_instance("old", now_ms=1, until_ms=NOW + 1), claim("d", "l"))
        (held,) = await take(first, "old")
        must_be(await take(second, "new"), [], "events that a living host holds, for another")
        await second.execute(instances.keep_instance("old", now_ms=1, until_ms=NOW))
        (again,) = await take(second, "new")
        must_be((again.attempts, again.fence > held.fence), (2, True), "attempts and fence after a take-over")
        for late in (
            events.end_event(held.seq, held.fence, "done"),
            events.requeue_event(held.seq, held.fence),
        ):
            await must_raise(StateConflict, first.execute(late), "the word of a host that lost the event")
        await second.execute(events.end_event(again.seq, again.fence, "done"))
        must_be(await take(first, "old"), [], "events after the end of the only one")


async def _session_locks(place: StorePlace) -> None:
    async with replicas(place, 2) as stores:
        await stores[0].execute(*alive("a", "b"))

        async def ask(number: int) -> bool:
            holder, owner = f"turn {number}", "ab"[number % 2]
            taking = locks.take_lock("me", "k", holder=holder, owner=owner, now_ms=NOW)
            return bool((await stores[number % 2].execute(taking))[0])

        got = await asyncio.gather(*(ask(number) for number in range(20)))
        must_be(sum(got), 1, "turns that got one session's lock")
        winner = f"turn {got.index(True)}"
        for name in ("first", "second"):
            await stores[0].execute(locks.wait_for_lock("me", "k", holder=name, owner="a", ahead=False))
        await stores[0].execute(locks.release_lock("me", "k", winner))
        await must_raise(
            StateConflict, stores[1].execute(locks.release_lock("me", "k", winner)), "a second release"
        )
        second, first = [
            await stores[1].execute(locks.take_lock("me", "k", holder=name, owner="a", now_ms=NOW))
            for name in ("second", "first")
        ]
        must_be((len(second[0]), len(first[0])), (0, 1), "who got the lock: the second in line, the first")


async def _tasks(place: StorePlace) -> None:
    async with replicas(place, 2) as stores:
        for number in range(12):
            await stores[0].execute(_task(f"{number:02}", f"key {number % 4}" if number < 8 else None))

        async def claimed(store: HostStateStore) -> list[tasks.TakenTask]:
            taking = tasks.take_tasks("r", now_ms=NOW, lease_until_ms=NOW + 9, limit=20)
            while True:
                try:
                    return tasks.read_taken((await store.execute(taking))[0])
                except StateConflict:
                    await asyncio.sleep(0)

        found = [task for tasks in await asyncio.gather(*map(claimed, stores * 3)) for task in tasks]
        wanted = ["00", "01", "02", "03", "08", "09", "10", "11"]
        must_be(
            sorted(task.id for task in found),
            wanted,
            "tasks that were claimed: the first of each key, all without",
        )
        must_be({task.attempts for task in found}, {1}, "attempts, counted when a task is claimed")


def _reply(id: str, lane: str) -> Statement:
    return outbox.add_delivery(
        id=id, turn_id="t", channel="c", destination="{}", lane=lane, payload="{}", now_ms=NOW, expires_ms=NOW
    )


def _checkpoint(id: str) -> Statement:
    return checkpoints.save_checkpoint(
        session_id="s", checkpoint_id=id, workflow_name="w", payload="{}", now_ms=NOW
    )


def _task(id: str, order_key: str | None) -> Statement:
    return tasks.add_task(
        id=id,
        name="n",
        payload="{}",
        trace=None,
        order_key=order_key,
        policy="{}",
        max_attempts=3,
        due_ms=1,
        now_ms=1,
    )


CHECKS = (
    StoreCheck("numbers_rows_in_the_order_of_adding", _in_order),
    StoreCheck("gives_the_first_of_each_lane", _lanes),
    StoreCheck("gives_no_more_than_the_limit", _limit),
    StoreCheck("shares_work_between_takers_and_does_nothing_twice", _takers),
    StoreCheck("fences_off_a_holder_that_was_overtaken", _fences),
    StoreCheck("locks_a_session_for_one_turn_first_come_first_served", _session_locks),
    StoreCheck("claims_tasks_in_order_per_key", _tasks),
)
