"""What many turns leave behind while targets fail, clients leave, turns are cancelled and the store is away."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..cost import measured
from ..places import StoreKind, durable_kinds, place
from ..rough.soak import Left, Soaked, soak
from ..scale import Scale
from ..stats import Row, Series

TITLE = "what many turns with faults leave behind, after clean-up"
TARGET = 0.9

_LONGEST = 3_600.0
_ON_POSTGRES = 0.1
"""Share of the turns that go to PostgreSQL."""

_MIB = 1024 * 1024


def measure(scale: Scale) -> list[Row]:
    return measured(_measure(scale))


async def _measure(scale: Scale) -> list[Row]:
    rows: list[Row] = []
    for kind in durable_kinds():
        share = _ON_POSTGRES if kind == "postgres" else 1.0
        with place(kind) as found:
            soaked = await soak(
                found,
                turns=int(scale.rough_turns * share),
                parts=scale.soak_samples,
                at_once=scale.connections,
                until=time.monotonic() + _LONGEST,
            )
        rows += _rows(kind, soaked)
    return rows


def _rows(kind: StoreKind, soaked: Soaked) -> list[Row]:
    """What is left at the end beside what was left after three parts in ten, when caches are full."""
    settled, last = soaked.parts[len(soaked.parts) * 3 // 10], soaked.parts[-1]
    case, since = f"{kind}, {last.turns:,} turns", f"{settled.turns:,} turns"
    happened = ", ".join(f"{count} {outcome}" for outcome, count in sorted(soaked.outcomes.items()))

    def row(
        unit: str, of: Callable[[Left], float], before: Left, after: Left, beside: str, note: str = ""
    ) -> Row:
        return Row(
            case=case,
            unit=unit,
            host=Series([of(after)]),
            other=Series([of(before)]),
            beside=beside,
            target=TARGET,
            note=note,
        )

    def history(of: Callable[[Left], float]) -> str:
        return "each part: " + ", ".join(f"{of(part):.0f}" for part in soaked.parts)

    def resident(left: Left) -> float:
        return left.resident_bytes / _MIB

    def used(left: Left) -> float:
        return left.used_bytes / 1024

    rows = [
        row("RSS MiB", resident, settled, last, since, history(resident)),
        row("stored KiB", used, settled, last, since, history(used)),
        row("CPU us/turn", lambda left: left.cpu_us, settled, last, since, happened),
        row("tasks", lambda left: left.tasks, soaked.before, soaked.after, "before the start"),
        row("threads", lambda left: left.threads, soaked.before, soaked.after, "before the start"),
        row("files and sockets", lambda left: left.files, soaked.before, soaked.after, "before the start"),
    ]
    if kind == "postgres":  # one more on both sides: none left is nothing to compare
        rows.append(
            row("connections + 1", lambda left: left.connections + 1, soaked.before, soaked.after, "before")
        )
    return rows
