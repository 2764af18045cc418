"""Tasks in the store: claimed under a fenced lease, in order per key (contract 11; decision S2)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest

from hosting.state import HostStateStore, Rows, StateConflict, Statement
from hosting.state.database import connect
from hosting.state.schema import migrations_after
from hosting.state.statements import statement_texts
from hosting.state.tables import tasks
from hosting.state.tables.tasks import StoredTask, TakenTask


async def run(store: HostStateStore, *unit: Statement) -> Rows:
    return (await store.execute(*unit))[-1]


async def add(store: HostStateStore, id: str, *, key: str | None = None, due: int = 1, most: int = 3) -> None:
    added = tasks.add_task(
        id=id,
        name="work",
        payload="{}",
        trace=None,
        order_key=key,
        policy="{}",
        max_attempts=most,
        due_ms=due,
        now_ms=1,
    )
    await run(store, added)


async def take(store: HostStateStore, now: int = 10, limit: int = 10, owner: str = "a") -> list[TakenTask]:
    rows = await store.execute(
        tasks.bury_tasks(now_ms=now, expires_ms=now + 100),
        tasks.take_tasks(owner, now_ms=now, lease_until_ms=now + 5, limit=limit),
    )
    return tasks.read_taken(rows[1])


async def load(store: HostStateStore, id: str) -> StoredTask:
    found = tasks.read_task(await run(store, tasks.load_task(id)))
    assert found is not None
    return found


def ids(taken: Sequence[TakenTask | StoredTask]) -> list[str]:
    return [task.id for task in taken]


async def test_an_id_is_scheduled_once(store: HostStateStore) -> None:
    await add(store, "t")
    with pytest.raises(StateConflict):
        await add(store, "t")


async def test_a_claim_counts_the_attempt_before_it_begins(store: HostStateStore) -> None:
    await add(store, "t")
    (task,) = await take(store)
    assert (task.attempts, task.fence) == (1, 1)
    found = await load(store, "t")
    assert (found.state, found.attempts, found.owner, found.due_ms) == ("running", 1, "a", 15)


async def test_only_due_tasks_are_claimed_and_no_more_than_the_limit(store: HostStateStore) -> None:
    for id, due in (("late", 11), ("second", 9), ("first", 8), ("third", 10)):
        await add(store, id, due=due)
    assert ids(await take(store, limit=2)) == ["second", "first"]
    assert ids(await take(store)) == ["third"]
    assert ids(await take(store, now=11)) == ["late"]


async def test_an_ended_lease_is_claimed_anew_and_the_first_fence_is_worth_nothing(
    store: HostStateStore,
) -> None:
    await add(store, "t", key="k")
    (first,) = await take(store)
    assert await take(store, now=14, owner="b") == []
    (second,) = await take(store, now=15, owner="b")
    assert (second.attempts, second.fence) == (2, 2)
    for late in (
        tasks.end_task("t", first.fence, "succeeded", now_ms=16, expires_ms=99),
        tasks.retry_task("t", first.fence, error="e", due_ms=17, now_ms=16, expires_ms=99),
        tasks.give_back_task("t", first.fence, now_ms=16, expires_ms=99),
    ):
        with pytest.raises(StateConflict):
            await run(store, late)
    assert (await load(store, "t")).state == "running"


async def test_a_renewed_lease_is_not_claimed_and_only_the_owner_renews(store: HostStateStore) -> None:
    await add(store, "t")
    await take(store)
    assert await run(store, tasks.renew_tasks("b", lease_until_ms=50)) == []
    renewed = tasks.read_held(await run(store, tasks.renew_tasks("a", lease_until_ms=30)))
    assert renewed == [("t", 1, 0)]
    assert await take(store, now=29, owner="b") == []
    assert ids(await take(store, now=30, owner="b")) == ["t"]
    assert await run(store, tasks.renew_tasks("a", lease_until_ms=90)) == []


async def test_out_of_attempts_is_buried_not_claimed_and_its_key_goes_on(store: HostStateStore) -> None:
    await add(store, "poison", key="k", most=2)
    await add(store, "next", key="k")
    for now in (10, 20):
        assert ids(await take(store, now=now)) == ["poison"]
    assert await run(store, tasks.take_tasks("b", now_ms=30, lease_until_ms=40, limit=9)) == []
    assert ids(await take(store, now=30)) == ["next"]
    dead = await load(store, "poison")
    assert (dead.state, dead.attempts, dead.last_error, dead.owner) == ("failed", 2, "out_of_attempts", None)


async def test_a_key_holds_while_its_first_task_is_open_in_any_way(store: HostStateStore) -> None:
    for id in ("one", "two"):
        await add(store, id, key="k")
    (one,) = await take(store)
    assert one.id == "one"
    assert await take(store) == []
    await run(store, tasks.retry_task("one", 1, error="e", due_ms=20, now_ms=11, expires_ms=99))
    assert await take(store, now=19) == []
    (again,) = await take(store, now=20)
    assert (again.id, again.attempts) == ("one", 2)
    await run(store, tasks.end_task("one", again.fence, "failed", error="e", now_ms=21, expires_ms=99))
    assert ids(await take(store, now=21)) == ["two"]


async def test_a_later_task_of_a_key_that_runs_all_the_same_holds_it_and_is_not_stuck(
    store: HostStateStore,
) -> None:
    """As when two units are committed in another order than their rows were numbered in."""
    await add(store, "early", key="other")
    await add(store, "late", key="k")
    (_, late) = await take(store)
    await run(store, tasks.end_task("early", 1, "succeeded", now_ms=11, expires_ms=99))
    await add(store, "waiting", key="k")
    assert await take(store, now=14) == []
    (again,) = await take(store, now=15)
    assert (again.id, again.fence) == ("late", late.fence + 1)


async def test_runners_that_claim_at_once_share_without_overlap(store: HostStateStore) -> None:
    for number in range(40):
        await add(store, f"t{number}", key=f"k{number % 5}" if number % 2 else None)

    async def claim(owner: str) -> list[str]:
        found: list[str] = []
        for _ in range(10):
            try:
                found += ids(await take(store, owner=owner, limit=3))
            except StateConflict:
                continue
        return found

    claimed = await asyncio.gather(*(claim(owner) for owner in "abcd"))
    everything = [id for mine in claimed for id in mine]
    assert len(everything) == len(set(everything)) == 25
    assert {id for id in everything if int(id[1:]) % 2} == {"t1", "t3", "t5", "t7", "t9"}


async def test_what_is_given_back_is_due_at_once_with_its_attempt(store: HostStateStore) -> None:
    await add(store, "t", most=1)
    await take(store)
    await run(store, tasks.give_back_task("t", 1, now_ms=11, expires_ms=99))
    (again,) = await take(store, now=11, owner="b")
    assert (again.attempts, again.fence) == (1, 2)


async def test_a_scheduled_task_is_cancelled_at_once_a_running_one_when_its_runner_says_so(
    store: HostStateStore,
) -> None:
    for id in ("scheduled", "running", "retried", "given back"):
        await add(store, id)
    assert len(await run(store, tasks.cancel_task("scheduled", now_ms=2, expires_ms=99))) == 1
    assert ids(await take(store)) == ["running", "retried", "given back"]
    assert await run(store, tasks.load_tasks_to_cancel("a")) == []
    for id in ("running", "retried", "given back"):
        assert len(await run(store, tasks.cancel_task(id, now_ms=11, expires_ms=99))) == 1
    asked = tasks.read_held(await run(store, tasks.load_tasks_to_cancel("a")))
    assert sorted(held.id for held in asked) == ["given back", "retried", "running"]
    assert await run(store, tasks.load_tasks_to_cancel("b")) == []
    await run(store, tasks.retry_task("retried", 1, error="e", due_ms=12, now_ms=12, expires_ms=77))
    await run(store, tasks.give_back_task("given back", 1, now_ms=12, expires_ms=77))
    assert await take(store, now=15, owner="b") == []
    found = [await load(store, id) for id in ("scheduled", "running", "retried", "given back")]
    assert [task.state for task in found] == ["cancelled"] * 4
    assert [task.expires_ms for task in found] == [99, 115, 77, 77]
    assert await run(store, tasks.cancel_task("running", now_ms=16, expires_ms=99)) == []


async def test_one_that_has_the_store_to_itself_takes_over_at_once(store: HostStateStore) -> None:
    await add(store, "theirs")
    await take(store, owner="killed")
    await add(store, "mine")
    await take(store, owner="me")
    await run(store, tasks.free_tasks_of_others("me", now_ms=11))
    assert ids(await take(store, now=11, owner="me")) == ["theirs"]


async def test_the_next_moment_of_interest_is_a_due_time_or_the_end_of_a_lease(store: HostStateStore) -> None:
    async def due() -> int | None:
        return tasks.read_due_ms(await run(store, tasks.next_due_task()))

    assert await due() is None
    await add(store, "t", due=30)
    await add(store, "running")
    assert await due() == 1
    await take(store)
    assert await due() == 15
    await run(store, tasks.end_task("running", 1, "succeeded", now_ms=11, expires_ms=99))
    assert await due() == 30


async def test_only_ended_tasks_are_removed_and_only_past_their_time(store: HostStateStore) -> None:
    for id in ("open", "ended", "recent"):
        await add(store, id)
    await take(store)
    await run(store, tasks.end_task("ended", 1, "succeeded", now_ms=11, expires_ms=50))
    await run(store, tasks.end_task("recent", 1, "succeeded", now_ms=11, expires_ms=51))
    assert len(await run(store, tasks.expire_tasks(50, 10))) == 1
    assert await run(store, tasks.load_task("ended")) == []
    assert len(await run(store, tasks.expire_tasks(10**9, 10))) == 1
    assert (await load(store, "open")).state == "running"


def test_fields_and_columns_are_in_one_order() -> None:
    columns = [
        name.strip() for name in tasks.SQL["tasks.load"].split("FROM")[0].removeprefix("SELECT").split(",")
    ]
    assert columns == _fields(StoredTask)
    returned = tasks.SQL["tasks.take"].split("RETURNING")[1].split(",")
    assert [name.strip() for name in returned] == _fields(TakenTask)


def _fields(row: Any) -> list[str]:
    return list(row.__dataclass_fields__)


RARE = {"tasks.add", "tasks.count", "tasks.load_dead"}
"""One reads nothing; operators' commands may read it all."""


@pytest.mark.parametrize("name", sorted(tasks.SQL.keys() - RARE))
def test_no_statement_of_a_running_host_reads_all_tasks(name: str) -> None:
    database = connect(":memory:", busy_timeout=0)
    try:
        for text in migrations_after(0, serial="INTEGER PRIMARY KEY AUTOINCREMENT"):
            database.execute(text)
        params = dict.fromkeys(re.findall(r":([a-z_]+)", tasks.SQL[name]), 1)
        sql = statement_texts()[name].sql
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    finally:
        database.close()
    whole = [step for step in plan if step.startswith("SCAN") and "USING" not in step and "due" not in step]
    assert whole == [], plan


async def test_a_task_that_failed_is_listed_scheduled_anew_or_dropped(store: HostStateStore) -> None:
    for id in ("a", "b", "open"):
        await add(store, id)
    for task in await take(store, limit=2):
        await run(
            store, tasks.end_task(task.id, task.fence, "failed", error="KeyError", now_ms=11, expires_ms=50)
        )
    dead = tasks.read_tasks(await run(store, tasks.load_dead_tasks()))
    assert [(task.id, task.last_error) for task in dead] == [("a", "KeyError"), ("b", "KeyError")]
    assert ids(tasks.read_tasks(await run(store, tasks.load_dead_tasks(after=dead[0].seq, limit=1)))) == ["b"]
    assert dict(await run(store, tasks.count_tasks())) == {"failed": 2, "scheduled": 1}
    await run(store, tasks.revive_task("a", now_ms=20))
    again = await load(store, "a")
    assert (again.state, again.attempts, again.due_ms, again.expires_ms) == ("scheduled", 0, 20, None)
    await run(store, tasks.drop_task("b"))
    for change in (tasks.revive_task("a", now_ms=20), tasks.drop_task("open"), tasks.drop_task("b")):
        with pytest.raises(StateConflict):
            await run(store, change)
