"""Checkpoints per session, in the order of saving (contract 8.4, 8.5)."""

from __future__ import annotations

import pytest

from hosting.state import HostStateStore, StateConflict
from hosting.state.tables import checkpoints


async def save(
    store: HostStateStore, session: str, *ids: str, workflow: str = "w", payload: str = "{}"
) -> None:
    for id in ids:
        await store.execute(
            checkpoints.save_checkpoint(
                session_id=session, checkpoint_id=id, workflow_name=workflow, payload=payload, now_ms=1
            )
        )


async def ids(store: HostStateStore, session: str, workflow: str = "w") -> list[str]:
    (rows,) = await store.execute(checkpoints.load_checkpoints(session, workflow))
    return [found.checkpoint_id for found in checkpoints.read_checkpoints(rows)]


async def latest(store: HostStateStore, session: str) -> str | None:
    found = checkpoints.read_checkpoint((await store.execute(checkpoints.load_latest_checkpoint(session)))[0])
    return found and found.checkpoint_id


async def test_checkpoints_keep_the_order_of_saving_within_their_session_and_workflow(
    store: HostStateStore,
) -> None:
    await save(store, "s", "z", "a", "m")
    await save(store, "s", "other", workflow="w2")
    await save(store, "t", "foreign")
    assert await ids(store, "s") == ["z", "a", "m"]
    assert await latest(store, "s") == "other"
    assert await latest(store, "nobody") is None


async def test_saving_again_replaces_the_payload_in_place(store: HostStateStore) -> None:
    await save(store, "s", "a", "b")
    await save(store, "s", "a", payload="[1]")
    found = checkpoints.read_checkpoint((await store.execute(checkpoints.load_checkpoint("s", "a")))[0])
    assert found is not None
    assert found.payload == "[1]"
    assert await ids(store, "s") == ["a", "b"]


async def test_pruning_keeps_one_and_touches_no_other_session(store: HostStateStore) -> None:
    await save(store, "s", "a", "b", "c")
    await save(store, "t", "a")
    await store.execute(checkpoints.prune_checkpoints("s", keep="c"))
    assert (await ids(store, "s"), await ids(store, "t")) == (["c"], ["a"])
    await store.execute(checkpoints.delete_checkpoint("s", "c"))
    assert await ids(store, "s") == []


async def test_a_fork_begins_with_a_copy_of_its_own(store: HostStateStore) -> None:
    await save(store, "parent", "a", payload="[1]")
    copy = checkpoints.copy_checkpoint(from_session="parent", to_session="child", checkpoint_id="a", now_ms=2)
    await store.execute(copy)
    await save(store, "parent", "a", payload="[2]")
    found = checkpoints.read_checkpoint((await store.execute(checkpoints.load_checkpoint("child", "a")))[0])
    assert found is not None
    assert (found.payload, found.workflow_name) == ("[1]", "w")
    with pytest.raises(StateConflict):
        await store.execute(
            checkpoints.copy_checkpoint(from_session="nobody", to_session="x", checkpoint_id="a", now_ms=2)
        )
