"""Sessions, snapshots and names (contract 6.2, 6.5, 6.6, 6.10, 9.1)."""

from __future__ import annotations

import unicodedata

import pytest

from hosting.state import HostStateStore, StateConflict, Statement
from hosting.state.tables import aliases, history, identity_keys, sessions, snapshots
from hosting.state.tables.sessions import StoredSession

AWKWARD = [
    unicodedata.normalize("NFC", "é"),
    unicodedata.normalize("NFD", "é"),
    "E",
    "e",
    "",
    " ",
    "a\x1fb",
    "a:b",
    "a/../b",
    "%_'\"; DROP TABLE sessions; --",
    ":key",
    "🏴‍☠️",
    "\U0010ffff",
    "x" * 1024,
]


def create(session_id: str, key: str = "k", isolation_key: str = "me", **more: object) -> Statement:
    return sessions.create_session(
        isolation_key=isolation_key,
        key=key,
        session_id=session_id,
        now_ms=10,
        **more,  # type: ignore[arg-type]  # optional fields by name
    )


async def load(store: HostStateStore, key: str = "k", isolation_key: str = "me") -> StoredSession | None:
    (rows,) = await store.execute(sessions.load_session(isolation_key, key))
    return sessions.read_session(rows)


async def test_a_session_is_read_back_as_it_was_saved(store: HostStateStore) -> None:
    rows, head = history.append_messages(parent_id=None, turn_id="t", messages=["{}"], now_ms=1)
    await store.execute(
        *rows,
        create("s", parent_id="p", head=head, service_session_id="svc", expires_ms=99),
        sessions.put_session_state("s", '{"a":1}'),
    )
    expected = StoredSession("me", "k", "s", "p", "t:0", "svc", 1, 10, 99, '{"a":1}')
    assert await load(store) == expected
    (rows,) = await store.execute(sessions.load_session_by_id("s"))
    assert sessions.read_session(rows) == expected


async def test_an_unknown_session_is_none(store: HostStateStore) -> None:
    assert await load(store) is None


async def test_names_are_compared_byte_for_byte_in_both_parts(store: HostStateStore) -> None:
    names = [(left, right) for left in AWKWARD for right in AWKWARD]
    for number, (left, right) in enumerate(names):
        await store.execute(create(f"s{number}", right, left))
    for number, (left, right) in enumerate(names):
        found = await load(store, right, left)
        assert found is not None
        assert (found.session_id, found.isolation_key, found.key) == (f"s{number}", left, right)


@pytest.mark.parametrize(("session_id", "key"), [("s", "other"), ("other", "k")])
async def test_a_taken_id_or_name_is_a_conflict(store: HostStateStore, session_id: str, key: str) -> None:
    await store.execute(create("s"))
    with pytest.raises(StateConflict):
        await store.execute(create(session_id, key))


async def test_each_save_raises_the_fence_and_a_stale_one_conflicts(store: HostStateStore) -> None:
    await store.execute(create("s"))
    await store.execute(sessions.save_session(session_id="s", fence=1, head=None, now_ms=20))
    with pytest.raises(StateConflict):
        await store.execute(sessions.save_session(session_id="s", fence=1, head=None, now_ms=30))
    found = await load(store)
    assert found is not None
    assert (found.fence, found.updated_ms) == (2, 20)


async def test_deleting_a_session_takes_its_state_and_snapshots(store: HostStateStore) -> None:
    snapshot = snapshots.add_snapshot(session_id="s", turn_id="t", head=None, state="{}", now_ms=1)
    await store.execute(create("s"), sessions.put_session_state("s", "{}"), snapshot)
    await store.execute(*sessions.delete_session("s"))
    await store.execute(create("s"))
    found = await load(store)
    assert found is not None
    assert found.state is None
    (rows,) = await store.execute(snapshots.load_snapshot("s", "t"))
    assert snapshots.read_snapshot(rows) is None


async def test_a_snapshot_keeps_what_its_turn_left_whatever_comes_later(store: HostStateStore) -> None:
    first, head = history.append_messages(parent_id=None, turn_id="t1", messages=['"a"'], now_ms=1)
    await store.execute(
        *first,
        create("s", head=head),
        sessions.put_session_state("s", '{"turn":1}'),
        snapshots.add_snapshot(session_id="s", turn_id="t1", head=head, state='{"turn":1}', now_ms=1),
    )
    second, later = history.append_messages(parent_id=head, turn_id="t2", messages=['"b"'], now_ms=2)
    await store.execute(
        *second,
        sessions.save_session(session_id="s", fence=1, head=later, now_ms=2),
        sessions.put_session_state("s", '{"turn":2}'),
    )
    (rows,) = await store.execute(snapshots.load_snapshot("s", "t1"))
    snapshot = snapshots.read_snapshot(rows)
    assert snapshot is not None
    assert (snapshot.head, snapshot.state) == ("t1:0", '{"turn":1}')


async def test_a_turn_has_one_snapshot(store: HostStateStore) -> None:
    snapshot = snapshots.add_snapshot(session_id="s", turn_id="t", head=None, state="{}", now_ms=1)
    await store.execute(create("s"), snapshot)
    with pytest.raises(StateConflict):
        await store.execute(snapshot)


async def test_an_alias_stays_until_it_is_moved(store: HostStateStore) -> None:
    first = await store.execute(aliases.add_alias("me", "one", now_ms=1), aliases.load_alias("me"))
    second = await store.execute(aliases.add_alias("me", "two", now_ms=2), aliases.load_alias("me"))
    moved = await store.execute(aliases.move_alias("me", "two", now_ms=3), aliases.load_alias("me"))
    assert [aliases.read_alias(rows[1]) for rows in (first, second, moved)] == ["one", "one", "two"]
    assert aliases.read_alias((await store.execute(aliases.load_alias("you")))[0]) is None


async def test_a_person_keeps_the_key_of_first_sight(store: HostStateStore) -> None:
    async def see(channel: str, native_id: str, fresh: str) -> str | None:
        rows = await store.execute(
            identity_keys.add_identity_key(channel, native_id, fresh, now_ms=1),
            identity_keys.load_identity_key(channel, native_id),
        )
        return identity_keys.read_identity_key(rows[1])

    assert await see("telegram", "7", "k1") == "k1"
    assert await see("telegram", "7", "k2") == "k1"
    assert await see("slack", "7", "k3") == "k3"
    assert [await see("telegram", name, f"key-{n}") for n, name in enumerate(AWKWARD)] == [
        f"key-{n}" for n in range(len(AWKWARD))
    ]
