"""What happens when units meet: they take effect one after the other."""

from __future__ import annotations

import asyncio

from hosting import HostStateStore
from hosting.state import StateConflict, sweep
from hosting.state.tables import records, sessions

from ..check import StoreCheck, StoreDefect, must, must_be
from ..materials import NOW, claim, get, keys, put, replicas
from ..place import StorePlace

_MANY = 40


async def _one_claim(place: StorePlace) -> None:
    async with replicas(place, 2) as stores:
        outcomes = await asyncio.gather(
            *(store.execute(claim("d", "l")) for store in stores for _ in range(_MANY // 2))
        )
        must_be(sum(len(rows) for (rows,) in outcomes), 1, "claims of one delivery that were new")


async def _one_winner(place: StorePlace) -> None:
    async with replicas(place, 2) as stores:
        create = sessions.create_session(isolation_key="me", key="k", session_id="s", now_ms=NOW)
        await stores[0].execute(create)

        async def save(store: HostStateStore, number: int) -> bool:
            saving = sessions.save_session(session_id="s", fence=1, head=None, now_ms=number)
            try:
                await store.execute(put(f"{number}"), saving)
            except StateConflict:
                return False
            return True

        wins = await asyncio.gather(*(save(stores[number % 2], number) for number in range(_MANY)))
        must_be(sum(wins), 1, "saves under one fence that were kept")
        must_be(await keys(stores[0]), [str(wins.index(True))], "records of the winner and nobody else")


async def _no_lost_update(place: StorePlace) -> None:
    async with replicas(place, 2) as stores:
        create = sessions.create_session(isolation_key="me", key="k", session_id="s", now_ms=NOW)
        await stores[0].execute(create)

        async def raise_it(store: HostStateStore) -> int:
            for tries in range(1, 1_000):
                (rows,) = await store.execute(sessions.load_session_by_id("s"))
                session = sessions.read_session(rows)
                fence = session.fence if session else 0
                try:
                    await store.execute(
                        sessions.save_session(session_id="s", fence=fence, head=None, now_ms=1)
                    )
                except StateConflict:
                    continue
                return tries
            raise StoreDefect("found no end of saves that name the fence which was just read, and conflict")

        await asyncio.gather(*(raise_it(stores[number % 2]) for number in range(10)))
        (rows,) = await stores[1].execute(sessions.load_session_by_id("s"))
        session = sessions.read_session(rows)
        must_be(
            session and session.fence, 11, "the fence after ten saves, each of which named the one it read"
        )


async def _one_moment(place: StorePlace) -> None:
    async with replicas(place, 2) as (writing, reading):
        await writing.execute(put("a", "0"), put("b", "0"))
        stop = asyncio.Event()

        async def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                await writing.execute(put("a", f"{number}"), put("b", f"{number}"))
                await asyncio.sleep(0)

        writers = [asyncio.create_task(write()) for _ in range(2)]
        try:
            for _ in range(150):
                first, second = await reading.execute(get("a"), get("b"))
                must_be(
                    first[0][1], second[0][1], "two records that are always written together, read together"
                )
                await asyncio.sleep(0)
        finally:
            stop.set()
            await asyncio.gather(*writers)


async def _seen_at_once(place: StorePlace) -> None:
    async with replicas(place, 2) as (first, second):
        for number in range(20):
            writer, reader = (first, second) if number % 2 else (second, first)
            await writer.execute(put(f"{number:02}"))
            must_be(
                len(await keys(reader)),
                number + 1,
                "records that another store sees once a unit has returned",
            )


async def _opposite_orders(place: StorePlace) -> None:
    async with replicas(place, 2) as stores:

        async def both(number: int) -> None:
            names = ["a", "b", "c"] if number % 2 else ["c", "b", "a"]
            await stores[number % 2].execute(*(put(name, f"{number}") for name in names))

        await asyncio.gather(*(both(number) for number in range(8)))
        rows = await stores[0].execute(get("a"), get("b"), get("c"))
        must_be(
            len({found[0][1] for found in rows}), 1, "units that wrote the same three records, left in them"
        )


async def _sweepers(place: StorePlace) -> None:
    async with replicas(place, 2) as stores:
        for number in range(60):
            await stores[0].execute(put(f"{number}", expires_ms=5 if number % 2 else None))

        async def all_swept(store: HostStateStore) -> int:
            total = 0
            while removed := await sweep(store, 100, limit=7):
                total += removed
            return total

        removed = await asyncio.gather(*(all_swept(store) for store in stores))
        must_be(sum(removed), 30, "expired records that two sweeps removed together")
        (rows,) = await stores[1].execute(records.scan_records("suite", limit=99, now_ms=1))
        must(
            len(rows) == 30, f"found {len(rows)} records after the sweep, expected the 30 that do not expire"
        )


CHECKS = (
    StoreCheck("lets_one_of_many_claims_be_new", _one_claim),
    StoreCheck("lets_one_of_many_saves_under_a_fence_win", _one_winner),
    StoreCheck("loses_no_update_between_a_read_and_a_fenced_write", _no_lost_update),
    StoreCheck("shows_a_unit_one_moment", _one_moment),
    StoreCheck("shows_a_unit_to_others_once_it_returned", _seen_at_once, shared=True),
    StoreCheck("finishes_units_that_write_the_same_rows_in_other_orders", _opposite_orders),
    StoreCheck("lets_two_sweeps_work_side_by_side", _sweepers),
)
