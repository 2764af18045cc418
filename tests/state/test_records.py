"""Channel records: ordered, with prefixes and expiry (contract 2.4)."""

from __future__ import annotations

import pytest

from hosting.state import HostStateStore
from hosting.state.tables import records

KEYS = [
    "",
    "a",
    "a/",
    "a/1",
    "a/10",
    "a/2",
    "a0",
    "b",
    "é",
    "e\u0301",
    "\ud7ff",
    "\ue000",
    "𝒳",
    "\U0010ffff",
    "z",
]


async def put(store: HostStateStore, *keys: str, namespace: str = "ns", expires: int | None = None) -> None:
    for key in keys:
        await store.execute(records.put_record(namespace, key, f'"{key}"', now_ms=1, expires_ms=expires))


async def scan(
    store: HostStateStore,
    prefix: str = "",
    after: str | None = None,
    limit: int = 100,
    descending: bool = False,
) -> list[str]:
    (rows,) = await store.execute(
        records.scan_records("ns", prefix=prefix, after=after, limit=limit, descending=descending, now_ms=1)
    )
    return [record.key for record in records.read_records(rows)]


async def test_a_record_is_replaced_read_and_deleted(store: HostStateStore) -> None:
    get = records.get_record("ns", "k", now_ms=5)
    await put(store, "k")
    await put(store, "k", namespace="other")
    await store.execute(records.put_record("ns", "k", "[2]", now_ms=2, expires_ms=9))
    assert records.read_record((await store.execute(get))[0]) == records.Record("k", "[2]", 2, 9)
    await store.execute(records.delete_record("ns", "k"), records.delete_record("ns", "k"))
    assert records.read_record((await store.execute(get))[0]) is None


async def test_keys_sort_by_their_bytes(store: HostStateStore) -> None:
    await put(store, *KEYS)
    ordered = sorted(KEYS, key=lambda key: key.encode())
    assert await scan(store) == ordered
    assert await scan(store, descending=True) == ordered[::-1]


@pytest.mark.parametrize("prefix", ["a", "a/", "a/1", "é", "\ud7ff", "\U0010ffff", "none"])
async def test_a_scan_returns_the_keys_with_the_prefix_and_no_others(
    store: HostStateStore, prefix: str
) -> None:
    await put(store, *KEYS, prefix + "\U0010ffff", prefix + "\U0010ffff\U0010ffff")
    everything = {*KEYS, prefix + "\U0010ffff", prefix + "\U0010ffff\U0010ffff"}
    expected = sorted((key for key in everything if key.startswith(prefix)), key=lambda key: key.encode())
    assert await scan(store, prefix) == expected
    assert await scan(store, prefix, descending=True) == expected[::-1]


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_join_to_the_whole(store: HostStateStore, descending: bool) -> None:
    names = [f"item/{number:02}" for number in range(10)]
    await put(store, "before", *names, "jtem")
    pages: list[str] = []
    after = None
    while page := await scan(store, "item/", after, 3, descending):
        pages += page
        after = page[-1]
    assert pages == (names[::-1] if descending else names)


async def test_an_expired_record_is_not_read_even_before_the_sweep(store: HostStateStore) -> None:
    await put(store, "k", expires=10)
    alive = await store.execute(records.get_record("ns", "k", now_ms=9))
    dead = await store.execute(
        records.get_record("ns", "k", now_ms=10), records.scan_records("ns", limit=9, now_ms=10)
    )
    assert (len(alive[0]), dead) == (1, [[], []])


async def test_adding_succeeds_where_no_living_record_is(store: HostStateStore) -> None:
    async def add(now: int) -> bool:
        (rows,) = await store.execute(
            records.add_record("ns", "nonce", f"{now}", now_ms=now, expires_ms=now + 10)
        )
        return bool(rows)

    assert [await add(1), await add(2), await add(10), await add(11), await add(12)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    await put(store, "for good")
    assert await store.execute(records.add_record("ns", "for good", "1", now_ms=10**15)) == [[]]
