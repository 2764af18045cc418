"""History: one row per message, forks that share their beginning (contract 6.6, 6.11)."""

from __future__ import annotations

import pytest

from hosting.state import HostStateStore, StateConflict, sweep
from hosting.state.tables import history, sessions, snapshots

DAY = 24 * 3_600_000


async def add(store: HostStateStore, parent: str | None, turn: str, *messages: str) -> str | None:
    statements, head = history.append_messages(parent_id=parent, turn_id=turn, messages=messages, now_ms=1)
    await store.execute(*statements)
    return head


async def texts(store: HostStateStore, head: str | None, last: int | None = None) -> list[str]:
    assert head is not None
    (rows,) = await store.execute(history.load_history(head, last=last))
    return [entry.message for entry in history.read_history(rows)]


async def in_session(
    store: HostStateStore, name: str, head: str | None, expires_ms: int | None = None
) -> None:
    await store.execute(
        sessions.create_session(
            isolation_key="me", key=name, session_id=name, head=head, now_ms=1, expires_ms=expires_ms
        )
    )


async def test_a_chain_is_read_oldest_first(store: HostStateStore) -> None:
    head = await add(store, None, "t1", "a", "b", "c")
    head = await add(store, head, "t2", "d")
    (rows,) = await store.execute(history.load_history(head or ""))
    entries = history.read_history(rows)
    assert [entry.message for entry in entries] == ["a", "b", "c", "d"]
    assert [entry.parent_id for entry in entries] == [None, *(entry.id for entry in entries[:-1])]
    assert [entry.turn_id for entry in entries] == ["t1", "t1", "t1", "t2"]


async def test_the_last_entries_can_be_read_alone(store: HostStateStore) -> None:
    head = await add(store, None, "t", *"abcdef")
    assert await texts(store, head, last=2) == ["e", "f"]


async def test_an_unknown_head_is_an_empty_chain(store: HostStateStore) -> None:
    assert await texts(store, "nothing") == []


async def test_adding_no_message_leaves_the_head(store: HostStateStore) -> None:
    assert history.append_messages(parent_id="h", turn_id="t", messages=[], now_ms=1) == ([], "h")


async def test_forks_share_their_beginning_and_do_not_see_each_other(store: HostStateStore) -> None:
    root = await add(store, None, "t1", "a", "b")
    left, right = await add(store, root, "t2", "left"), await add(store, root, "t3", "right")
    assert await texts(store, left) == ["a", "b", "left"]
    assert await texts(store, right) == ["a", "b", "right"]
    assert await texts(store, root) == ["a", "b"]


async def test_a_turn_adds_its_messages_once(store: HostStateStore) -> None:
    await add(store, None, "t", "a")
    with pytest.raises(StateConflict):
        await add(store, None, "t", "again")


async def test_a_long_chain_is_read_in_one_statement(store: HostStateStore) -> None:
    messages = [str(number) for number in range(3_000)]
    assert await texts(store, await add(store, None, "t", *messages)) == messages


async def test_the_sweep_removes_what_no_session_reaches_and_keeps_what_a_fork_shares(
    store: HostStateStore,
) -> None:
    root = await add(store, None, "t1", "a", "b")
    gone, kept = await add(store, root, "t2", *"12345"), await add(store, root, "t3", "kept")
    await in_session(store, "gone", gone)
    await in_session(store, "kept", kept)
    await store.execute(*sessions.delete_session("gone"))
    assert await sweep(store, 1) == 5
    assert await texts(store, gone) == []
    assert await texts(store, kept) == ["a", "b", "kept"]


async def test_the_sweep_works_through_a_long_chain_in_batches(store: HostStateStore) -> None:
    head = await add(store, None, "t", *(str(number) for number in range(25)))
    await in_session(store, "gone", head, expires_ms=5)
    left: list[int] = []
    for _ in range(4):
        await store.execute(*sessions.expire_sessions(5, 10), *history.expire_history(10))
        left.append(
            len(await texts(store, "t:24"))
            or len(await texts(store, "t:14"))
            or len(await texts(store, "t:4"))
        )
    assert left == [15, 5, 0, 0]


async def test_a_snapshot_holds_its_history(store: HostStateStore) -> None:
    head = await add(store, None, "t1", "a")
    later = await add(store, head, "t2", "b")
    await in_session(store, "s", later)
    await store.execute(
        snapshots.add_snapshot(session_id="s", turn_id="t1", head=head, state=None, now_ms=1, expires_ms=50)
    )
    await sweep(store, 49)
    assert await texts(store, head) == ["a"]
    assert await sweep(store, 50) == 1
    assert await texts(store, later) == ["a", "b"]


async def test_history_that_two_forks_shared_goes_with_the_last_of_them(store: HostStateStore) -> None:
    root = await add(store, None, "t1", "a")
    for name in ("left", "right"):
        await in_session(store, name, await add(store, root, name, "x"), expires_ms=5)
    assert (
        await sweep(store, DAY + 5) == 5
    )  # two sessions, two branches of one message, the message they shared
    assert await texts(store, root) == []
