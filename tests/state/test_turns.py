"""Turns: claims of API requests, attempts, the `seen` mark (contract 3.5, 4.3 to 4.5)."""

from __future__ import annotations

import pytest

from hosting.state import HostStateStore, StateConflict, Statement
from hosting.state.tables import instances, turns
from hosting.state.tables.turns import StoredTurn


def begin(
    turn_id: str,
    delivery: str | None = None,
    caller: str = "alice",
    now: int = 1,
    owner: str | None = None,
) -> Statement:
    return turns.begin_turn(
        turn_id=turn_id,
        channel="responses",
        caller=caller,
        delivery_id=delivery,
        response_id=f"r-{turn_id}",
        owner=owner,
        now_ms=now,
    )


async def load(store: HostStateStore, turn_id: str) -> StoredTurn:
    turn = turns.read_turn((await store.execute(turns.load_turn(turn_id)))[0])
    assert turn is not None
    return turn


async def test_a_repeated_idempotency_key_finds_the_first_turn_and_its_result(store: HostStateStore) -> None:
    lookup = turns.load_turn_by_delivery(channel="responses", caller="alice", delivery_id="key")
    new, first = await store.execute(begin("t1", "key"), lookup)
    assert new == [("t1",)]
    assert turns.read_turn(first) == await load(store, "t1")
    await store.execute(
        turns.finish_turn("t1", 1, "completed", session_id="s", result='{"ok":1}', now_ms=5, expires_ms=50)
    )
    repeated, found = await store.execute(begin("t2", "key"), lookup)
    assert repeated == []
    earlier = turns.read_turn(found)
    assert earlier is not None
    assert (earlier.turn_id, earlier.status, earlier.result) == ("t1", "completed", '{"ok":1}')


async def test_keys_of_other_callers_and_turns_without_a_key_do_not_meet(store: HostStateStore) -> None:
    for statement in (begin("t1", "key"), begin("t2", "key", caller="bob"), begin("t3"), begin("t4")):
        assert (await store.execute(statement))[0]


async def test_a_turn_is_read_back_by_its_ids(store: HostStateStore) -> None:
    await store.execute(begin("t1"))
    expected = StoredTurn(
        "t1", "responses", "alice", "", None, None, "r-t1", "running", 1, 0, None, "{}", None, 1, None, None
    )
    assert await load(store, "t1") == expected
    assert turns.read_turn((await store.execute(turns.load_turn_by_response("r-t1")))[0]) == expected


async def test_an_overtaken_attempt_changes_nothing(store: HostStateStore) -> None:
    await store.execute(begin("t1"))
    await store.execute(turns.retry_turn("t1", 1))
    for late in (
        turns.retry_turn("t1", 1),
        turns.mark_turn_seen("t1", 1),
        turns.set_turn_status("t1", 1, "queued"),
        turns.finish_turn("t1", 1, "completed", now_ms=2),
    ):
        with pytest.raises(StateConflict):
            await store.execute(late)
    await store.execute(turns.mark_turn_seen("t1", 2))
    turn = await load(store, "t1")
    assert (turn.attempt, turn.seen, turn.status) == (2, 1, "running")


async def test_a_turn_ends_once_and_its_record_can_still_grow(store: HostStateStore) -> None:
    await store.execute(begin("t1"), turns.set_turn_status("t1", 1, "running", session_id="s"))
    await store.execute(
        turns.finish_turn("t1", 1, "failed", error_code="interrupted", now_ms=2, expires_ms=9)
    )
    with pytest.raises(StateConflict):
        await store.execute(turns.finish_turn("t1", 1, "completed", now_ms=3))
    await store.execute(turns.put_turn_record("t1", '{"outcomes":[]}'))
    turn = await load(store, "t1")
    assert (turn.status, turn.error_code, turn.session_id) == ("failed", "interrupted", "s")
    assert (turn.record, turn.finished_ms, turn.expires_ms) == ('{"outcomes":[]}', 2, 9)


async def test_open_turns_of_dead_hosts_are_found_oldest_first(store: HostStateStore) -> None:
    await store.execute(instances.keep_instance("alive", now_ms=1, until_ms=9))
    await store.execute(
        begin("t3", now=3, owner="dead"),
        begin("t1", now=1, owner="dead"),
        begin("t2", now=2, owner="dead"),
        begin("t4", now=4, owner="alive"),
    )
    await store.execute(turns.finish_turn("t2", 1, "completed", now_ms=4))
    (rows,) = await store.execute(turns.load_cut_off_turns(now_ms=8, limit=10))
    assert [turn.turn_id for turn in turns.read_turns(rows)] == ["t1", "t3"]
    found = await store.execute(turns.load_cut_off("t1", now_ms=8), turns.load_cut_off("t4", now_ms=8))
    assert [len(rows) for rows in found] == [1, 0]
