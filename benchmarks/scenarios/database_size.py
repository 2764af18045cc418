"""What a turn adds to the database while its conversation grows: what it said, however long the conversation is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent_framework import Agent

from hosting import AgentFrameworkHost, HostHistoryProvider
from hosting.state.expiry import sweep
from hosting_testkit.targets import ScriptedChatClient

from ..cost import measured
from ..in_process import hosting_at, turn_in
from ..places import Place, StoreKind, durable_kinds, place
from ..scale import Scale
from ..stats import Row, Series
from .conversation_length import answer, question

TITLE = "bytes that a turn adds to the database, by the length of its conversation"
TARGET = 0.8

_TWO_DAYS_MS = 2 * 24 * 3_600_000
"""By then all has expired that a turn leaves behind for a while."""


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    return [row for kind in durable_kinds() for row in await _kind(kind, scale)]


async def _kind(kind: StoreKind, scale: Scale) -> list[Row]:
    with place(kind) as found:
        empty = await _empty(found)
        sizes = await _grown(found, scale, empty)
        kept = await _cleaned_up(found) - empty
    (begun, begun_bytes), (half, half_bytes), (end, end_bytes) = sizes
    early = (half_bytes - begun_bytes) / (half - begun)
    late = (end_bytes - half_bytes) / (end - half)
    said = f"{_said(end)} of them are the texts themselves"
    grown = _row(f"{kind}, turns {half:,} to {end:,}", late, early, f"turns {begun:,} to {half:,}", said)
    total = end_bytes / end
    left = _row(f"{kind}, after clean-up", max(0, kept) / end, total, "before", "what stays for good")
    return [replace(grown, target=TARGET), left]


def _row(case: str, added: float, beside: float, what: str, note: str) -> Row:
    return Row(
        case=case,
        unit="bytes/turn",
        host=Series([added]),
        other=Series([beside]),
        beside=what,
        note=note,
    )


async def _empty(place: Place) -> int:
    """The bytes of a schema that holds nothing, which do not count."""
    store = place.store()
    await store.open()
    await store.close()
    return place.used_bytes()


async def _grown(place: Place, scale: Scale, empty: int) -> list[tuple[int, int]]:
    """The bytes that the conversation takes after each number of turns."""
    turns = 0
    sizes: list[tuple[int, int]] = []
    async with hosting_at(_agent(), place) as host:
        for length in _lengths(scale):
            turns = await _grow(host, turns, length)
            sizes.append((length, place.used_bytes() - empty))
    return sizes


def _lengths(scale: Scale) -> Sequence[int]:
    """A beginning, and two parts of equal length, so that whole pages do not blur what one turn adds."""
    longest = max(scale.lengths)
    return max(1, longest // 10), longest * 11 // 20, longest


async def _grow(host: AgentFrameworkHost, turns: int, length: int) -> int:
    for turn in range(turns, length):
        await host.run(turn_in("conversation", question(turn)))
    return length


async def _cleaned_up(place: Place) -> int:
    """The bytes that stay once all has expired that does, without room for more."""
    store = place.store()
    await store.open()
    while await sweep(store, time.time_ns() // 1_000_000 + _TWO_DAYS_MS):
        pass
    await store.close()
    place.compact()
    return place.used_bytes()


def _agent() -> Agent[Any]:
    """Core's agent, of whose conversation the model sees only the end; all of it is stored."""
    return Agent(
        client=ScriptedChatClient(script=answer, keep=1),
        name="helper",
        context_providers=[HostHistoryProvider(window=2)],
    )


def _said(turns: int) -> int:
    asked = sum(len(question(turn)) for turn in range(turns)) // turns
    return asked + len(answer([], {}))
