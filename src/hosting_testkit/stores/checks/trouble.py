"""State that is away, newer or damaged."""

from __future__ import annotations

import asyncio

from hosting.state import StateCorrupt, StateTooNew, StateUnavailable, ping

from ..check import StoreCheck, must, must_be, must_raise
from ..materials import keys, opened, put
from ..place import StorePlace


async def _away(place: StorePlace) -> None:
    async with opened(place) as store:
        await store.execute(put("before"))
        await place.take_away()
        outcomes = await asyncio.gather(
            *(store.execute(put(f"{n}"), put("x")) for n in range(5)), return_exceptions=True
        )
        await place.bring_back()
        wrong = [repr(outcome) for outcome in outcomes if not isinstance(outcome, StateUnavailable)]
        must_be(wrong, [], "outcomes of units while the state was away, other than StateUnavailable")
        for outcome in outcomes:
            must(getattr(outcome, "retry_after", None), "StateUnavailable without retry_after")
        await store.execute(put("after"))
        found = await keys(store)
        must({"after", "before"} <= set(found), f"records after the state came back: found {found}")


async def _newer(place: StorePlace) -> None:
    async with opened(place) as store:
        await store.execute(put("a"))
    await asyncio.to_thread(place.make_newer)
    before = await asyncio.to_thread(place.fingerprint)
    await _refused(place, StateTooNew, "a schema of a later release")
    must_be(await asyncio.to_thread(place.fingerprint), before, "a newer state after it was refused")


async def _damaged(place: StorePlace) -> None:
    async with opened(place) as store:
        await store.execute(put("a"))
    await asyncio.to_thread(place.damage)
    before = await asyncio.to_thread(place.fingerprint)
    await _refused(place, StateCorrupt, "state that is no state store")
    must_be(await asyncio.to_thread(place.fingerprint), before, "damaged state after it was refused")


async def _refused(place: StorePlace, kind: type[Exception], what: str) -> None:
    store = place.store()
    for _ in range(2):
        await must_raise(kind, store.open(), what)
    await must_raise(StateUnavailable, store.execute(ping()), f"a unit after {what} was refused")
    await store.close()


CHECKS = (
    StoreCheck(
        "says_so_while_its_state_is_away_and_works_again_afterwards", _away, needs=("take_away", "bring_back")
    ),
    StoreCheck(
        "refuses_a_newer_state_and_leaves_it", _newer, durable=True, needs=("make_newer", "fingerprint")
    ),
    StoreCheck(
        "refuses_a_damaged_state_and_leaves_it", _damaged, durable=True, needs=("damage", "fingerprint")
    ),
)
