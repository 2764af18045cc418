"""What a unit is: kept whole or not at all, its rows in order."""

from __future__ import annotations

import asyncio

from hosting import HostingError
from hosting.state import StateConflict, Statement, UnknownStatement, ping
from hosting.state.tables import aliases, history, records, sessions, turns

from ..check import StoreCheck, must, must_be, must_raise
from ..materials import NOW, broken, get, keys, miss, opened, pairs, put
from ..place import StorePlace


async def _answers(place: StorePlace) -> None:
    async with opened(place) as store:
        must_be(await store.execute(ping()), [[(1,)]], "rows of the ping")
        must_be(await store.execute(), [], "rows of an empty unit")
        must(store.describe(), "describe() is empty: the start line names the store with it")
        must(store.durable in (True, False), f"durable: found {store.durable!r}, expected True or False")


async def _order(place: StorePlace) -> None:
    async with opened(place) as store:
        found = await store.execute(get("a"), put("a"), get("a"), put("a", "2"), get("a"))
        must_be([len(rows) for rows in found], [0, 0, 1, 0, 1], "rows of each statement, in order")
        must_be([rows[0][1] for rows in found if rows], ["1", "2"], "what each read saw of those before it")


async def _all_or_nothing(place: StorePlace) -> None:
    async with opened(place) as store:
        error = await must_raise(
            StateConflict, store.execute(put("before"), miss(), put("after")), "a missed expect"
        )
        must_be(getattr(error, "statement", None), "turns.retry", "the statement that a conflict names")
        must_be(await keys(store), [], "records after a unit that missed its expect")
        await must_raise(
            StateConflict, store.execute(put("before"), broken(), put("after")), "a broken constraint"
        )
        must_be(await keys(store), [], "records after a unit that broke a constraint")
        await store.execute(put("a"))
        must_be(await keys(store), ["a"], "records after the next unit")


async def _lone_expect(place: StorePlace) -> None:
    async with opened(place) as store:
        two = Statement(put("a").name, put("a").params, 2)
        await must_raise(StateConflict, store.execute(two), "one row changed where two must be")
        must_be(await keys(store), [], "records after a lone statement that missed")
        await must_raise(
            StateConflict, store.execute(Statement("store.ping", {}, 2)), "one row read where two must be"
        )
        late = Statement("store.ping", {}, 2)
        await must_raise(StateConflict, store.execute(put("a"), late), "a read that missed behind a write")
        must_be(await keys(store), [], "records after a read that missed behind a write")
        await store.execute(put("a"), Statement("store.ping", {}, 1), put("b"))
        must_be(await keys(store), ["a", "b"], "records after a unit whose expectations were met")


async def _unknown(place: StorePlace) -> None:
    async with opened(place) as store:
        unknown = Statement("records.nonsense", {})
        await must_raise(
            UnknownStatement, store.execute(put("a"), unknown), "a statement that does not exist"
        )
        missing = Statement(put("a").name, {"namespace": "suite"})
        await must_raise(HostingError, store.execute(put("a"), missing), "a statement without its parameters")
        must_be(await keys(store), [], "records after units that could not be run")


async def _alone(place: StorePlace) -> None:
    async with opened(place) as store:

        async def unit(number: int) -> bool:
            last = (miss(), broken())[number % 2] if number % 3 == 0 else put(f"{number:03}b")
            try:
                await store.execute(put(f"{number:03}a"), last)
            except StateConflict:
                return False
            return True

        kept = await asyncio.gather(*(unit(number) for number in range(120)))
        must_be(kept, [number % 3 != 0 for number in range(120)], "which of many concurrent units were kept")
        wanted = [f"{number:03}{half}" for number in range(120) if number % 3 for half in "ab"]
        must_be(await keys(store), wanted, "records of the units that were kept")


async def _upserts(place: StorePlace) -> None:
    async with opened(place) as store:
        first, again = (
            turns.begin_turn(turn_id="t", channel="c", delivery_id="d", now_ms=1),
            turns.load_turn("t"),
        )
        new = await store.execute(first, again)
        known = await store.execute(
            turns.begin_turn(turn_id="u", channel="c", delivery_id="d", now_ms=2), again
        )
        must_be(
            [len(rows) for rows in (*new, *known)], [1, 1, 0, 1], "rows of a turn that is new, then known"
        )
        await store.execute(put("a", "old"), put("b"))
        await store.execute(put("a", "new"))
        must_be(await pairs(store), [("a", "new"), ("b", "1")], "records after one was replaced")
        await store.execute(records.delete_record("suite", "a"), aliases.move_alias("me", "x", now_ms=1))
        await store.execute(aliases.move_alias("me", "y", now_ms=1))
        (rows,) = await store.execute(aliases.load_alias("me"))
        must_be(
            (await keys(store), aliases.read_alias(rows)), (["b"], "y"), "records and alias after changes"
        )


async def _turn(place: StorePlace) -> None:
    """A turn's own commit, which is what stores are for (contract 4.4)."""
    async with opened(place) as store:
        rows, head = history.append_messages(parent_id=None, turn_id="t", messages=["1", "2"], now_ms=NOW)
        turn = turns.begin_turn(turn_id="t", channel="c", now_ms=NOW)
        session = sessions.create_session(isolation_key="me", key="k", session_id="s", head=head, now_ms=NOW)
        await store.execute(turn)
        done = turns.finish_turn("t", 1, "completed", result="{}", now_ms=NOW, expires_ms=NOW + 1)
        await store.execute(*rows, session, sessions.put_session_state("s", "{}"), done, put("channel"))
        late = sessions.save_session(session_id="s", fence=7, head=None, now_ms=NOW)
        await must_raise(StateConflict, store.execute(put("late"), late), "a save under another fence")
        found, chain, ended = await store.execute(
            sessions.load_session("me", "k"), history.load_history(head or ""), turns.load_turn("t")
        )
        stored, turned = sessions.read_session(found), turns.read_turn(ended)
        must(
            stored and (stored.fence, stored.state, stored.head) == (1, "{}", head),
            f"the session: found {stored}",
        )
        must(
            turned and (turned.status, turned.finished_ms) == ("completed", NOW), f"the turn: found {turned}"
        )
        must_be([entry.message for entry in history.read_history(chain)], ["1", "2"], "its history")
        must_be(await keys(store), ["channel"], "its records")


CHECKS = (
    StoreCheck("answers_and_says_what_it_is", _answers),
    StoreCheck("runs_statements_in_order_each_seeing_those_before", _order),
    StoreCheck("keeps_a_unit_whole_or_not_at_all", _all_or_nothing),
    StoreCheck("checks_the_rows_that_a_statement_expects", _lone_expect),
    StoreCheck("refuses_what_it_cannot_run_and_keeps_nothing_of_it", _unknown),
    StoreCheck("fails_one_unit_without_those_beside_it", _alone),
    StoreCheck("inserts_once_and_replaces", _upserts),
    StoreCheck("commits_a_turn", _turn),
)
