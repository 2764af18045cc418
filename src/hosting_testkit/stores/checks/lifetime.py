"""Opening, closing, cancelling, dying: what is left."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from hosting.state import StateConflict, StateUnavailable, StoreSignals, ping, signal

from ..check import StoreCheck, must, must_be, must_raise
from ..materials import keys, miss, opened, put
from ..place import StorePlace
from ..witness import killed_while_writing

_SIGNAL = 5.0
"""Seconds that a signal may take at the most."""


async def _open_close(place: StorePlace) -> None:
    store = place.store()
    await must_raise(StateUnavailable, store.execute(ping()), "a unit before the store is open")
    await store.close()
    await store.open()
    await store.open()
    must_be(await store.execute(ping()), [[(1,)]], "rows of the ping")
    await store.close()
    await store.close()
    error = await must_raise(StateUnavailable, store.execute(ping()), "a unit after the store was closed")
    must_be(getattr(error, "status", None), 503, "the status of StateUnavailable")
    await store.open()
    must_be(await store.execute(ping()), [[(1,)]], "rows of the ping after opening again")
    await store.close()


async def _nothing_left(place: StorePlace) -> None:
    threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
    async with opened(place) as store:
        await asyncio.gather(*(store.execute(put(f"{number}")) for number in range(30)))
    await asyncio.sleep(0)
    must_be(sorted(str(task) for task in asyncio.all_tasks() - tasks), [], "tasks that a closed store left")
    left = [thread.name for thread in set(threading.enumerate()) - threads if thread.is_alive()]
    must_be(left, [], "threads that a closed store left")


async def _closing(place: StorePlace) -> None:
    store = place.store()
    await store.open()
    waiting = [asyncio.create_task(store.execute(put(f"{number:03}"))) for number in range(100)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    lost = [repr(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]
    must_be(lost, [], "units that had begun before the store was closed")


async def _cancelled(place: StorePlace) -> None:
    async with opened(place) as store:
        for turns in range(4):
            callers = [
                asyncio.create_task(store.execute(put(f"{turns}-{n}"), put(f"{turns}-{n}x")))
                for n in range(40)
            ]
            others = [asyncio.create_task(store.execute(put(f"kept {turns}-{n}"))) for n in range(5)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for caller in callers:
                caller.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
            await asyncio.gather(*others)
        found = await keys(store)
        kept = [key for key in found if key.startswith("kept")]
        must_be(len(kept), 20, "units beside callers that were cancelled")
        halves = {key.removesuffix("x") for key in found if not key.startswith("kept")}
        must_be(
            len(found) - len(kept),
            2 * len(halves),
            "records of cancelled callers, of which each wrote two or none",
        )


async def _loops(place: StorePlace) -> None:
    store = place.store()
    await store.open()

    async def many(name: str) -> None:
        await asyncio.gather(*(store.execute(put(f"{name}{n:02}"), put(f"{name}{n:02}x")) for n in range(20)))

    with ThreadPoolExecutor() as threads:
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            many("0"), *(loop.run_in_executor(threads, asyncio.run, many(name)) for name in "ab")
        )
    must_be(len(await keys(store)), 120, "records written from three event loops")
    await store.close()


async def _reopened(place: StorePlace) -> None:
    for number in range(3):
        async with opened(place) as store:
            must_be(await keys(store), [f"{before}" for before in range(number)], "records after reopening")
            await store.execute(put(f"{number}"))


async def _killed(place: StorePlace) -> None:
    async with opened(place):
        pass  # the schema is there before others write
    for patience in (1, 60):
        acknowledged = await asyncio.to_thread(killed_while_writing, place, patience)
        async with opened(place) as store:
            found = set(await keys(store))
        must_be(
            sorted(set(acknowledged) - found), [], "acknowledged records that a killed process took with it"
        )
        halves = {key.removesuffix("/2") for key in found}
        must_be(
            len(found), 2 * len(halves), "records of a killed process, of which each unit wrote two or none"
        )


async def _signals(place: StorePlace) -> None:
    async with opened(place) as store:
        if not isinstance(store, StoreSignals):
            return
        woken, other = asyncio.Event(), asyncio.Event()
        end = store.subscribe("topic", woken)
        store.subscribe("other", other)
        await store.execute(signal("topic"))
        async with asyncio.timeout(_SIGNAL):
            await woken.wait()
        if not store.signals_between_processes:  # else it may also be woken for no reason
            woken.clear()
            await must_raise(StateConflict, store.execute(signal("topic"), miss()), "a unit that misses")
            must(not woken.is_set(), "a subscriber was woken by a unit that was not kept")
            must(not other.is_set(), "a subscriber was woken by another topic")
            end()
            end()
            await store.execute(put("a"), signal("topic"))
            must(not woken.is_set(), "a subscription that was ended was woken")
        async with asyncio.timeout(_SIGNAL):
            await store.execute(put("b"), signal("other"))
            await other.wait()


CHECKS = (
    StoreCheck("opens_and_closes_and_is_unavailable_otherwise", _open_close),
    StoreCheck("leaves_no_task_and_no_thread", _nothing_left),
    StoreCheck("finishes_at_its_close_what_had_begun", _closing),
    StoreCheck("works_on_when_callers_are_cancelled", _cancelled),
    StoreCheck("serves_callers_of_several_loops", _loops),
    StoreCheck("holds_everything_when_it_is_opened_again", _reopened, durable=True),
    StoreCheck("loses_nothing_acknowledged_when_its_process_is_killed", _killed, durable=True),
    StoreCheck("wakes_who_waits_for_a_topic", _signals),
)
