"""What was found, as the page that is kept beside the benchmarks."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from msgspec.structs import fields as fields_of

from .. import machine
from .check import Checked
from .deployments import SIZES, deployments
from .figures import Deployment, Figures, StoreName, Use
from .model import FULL, carries, demands, gives_out_first
from .simulation import Played, Stage, play

COMMAND = "python -m benchmarks.capacity"

_INTRODUCTION = """\
A model of what one host, or many, can carry, made of measured figures and stated assumptions; the code is in
[capacity/](capacity). It is arithmetic: what each thing has to do at the busiest time, beside what it can do. A thing has given
out at {full:.0%} of what it can do, from where waiting grows quickly. Numbers are of the machine below; make your own.
"""

_LINEAR = """\
By number of conversations, how much of what may be used is used; 100% has given out. Demands grow in proportion to the
conversations, but for connections, and for live sessions, which a process bounds."""

_ALONE = """\
A turn that comes alone costs more processor time than one among many, for which the model stands: caches are cold, and no
commit is shared. Where processors give out there are many."""


def as_page(figures: Mapping[StoreName, Figures], checks: Sequence[Checked], *, missing: str = "") -> str:
    """`CAPACITY.md`.

    Args:
        figures: By store.
        checks: The model beside a run.
        missing: What was left out, and why.
    """
    facts = "\n".join(f"- {name}: {value}" for name, value in machine.facts().items())
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    parts = [
        "# What gives out first",
        f"Written by `{COMMAND} --page benchmarks/CAPACITY.md` on {date}.\n\n"
        + _INTRODUCTION.format(full=FULL),
        facts,
        "## Measured: one turn of core's agent through the Responses channel",
        _figures(figures),
        missing,
        "## Assumed",
        _assumed(),
        "## What gives out first",
        _LINEAR,
        _first(figures),
        *(
            _all_demands(figures, store, deployment)
            for store, deployment in deployments()
            if store in figures
        ),
        "## Does the model hold?",
        "A small run on SQLite, with people who come at random and a model that takes 0.2 s:",
        _checks(checks),
        _ALONE,
        "The busiest time of one process played out turn by turn, at several shares of what the model calls full:",
        _played(figures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _figures(figures: Mapping[StoreName, Figures]) -> str:
    names = [item.name for item in fields_of(Figures) if item.name != "store"]
    rows = [
        [name.replace("_", " "), *(f"{getattr(each, name):,.4g}" for each in figures.values())]
        for name in names
    ]
    return _table(["of one turn, or as named", *figures], rows)


def _assumed() -> str:
    use = Use(conversations=0)
    named = [
        ("conversations with a turn on a day", f"{use.active:.0%}"),
        ("turns of such a conversation on that day", f"{use.turns:g}"),
        ("busiest time, beside the mean", f"{use.peak:g} times"),
        ("seconds that the model takes", f"{use.turn_seconds:g}"),
        ("days that conversations are kept", f"{use.kept_days:g}"),
        ("days that answers can be asked for", f"{use.passing_days:g}"),
        ("pages that a day of a conversation touches alone", f"{use.own_pages:g}"),
    ]
    machines = [
        [
            deployment.name,
            f"{deployment.processes}",
            f"{deployment.databases} x {deployment.database_cores} cores"
            if store == "postgres"
            else "a file",
            f"{deployment.database_memory / 1e9:g} GB" if store == "postgres" else "",
            f"{deployment.disk / 1e12:g} TB",
            f"{deployment.skew:.2f}",
        ]
        for store, deployment in deployments()
    ]
    heads = ["deployment", "processes", "database", "its memory", "its disk", "fullest beside mean"]
    return _table(["of people", ""], named) + "\n\n" + _table(heads, machines)


def _first(figures: Mapping[StoreName, Figures]) -> str:
    rows: list[list[str]] = []
    for store, deployment in deployments():
        if store not in figures:
            continue
        found = figures[store]
        cells = [deployment.name]
        for size in SIZES:
            first = gives_out_first(found, Use(conversations=size), deployment)
            cells.append(f"{first.name}: {first.share:.0%}")
        most = carries(found, Use(conversations=1), deployment)
        least = gives_out_first(found, Use(conversations=most * 1.01), deployment)
        rows.append([*cells, f"{_round(most)}: {least.name}"])
    return _table(["deployment", *(f"{size:,.0f}" for size in SIZES), "carries, until"], rows)


def _all_demands(figures: Mapping[StoreName, Figures], store: StoreName, deployment: Deployment) -> str:
    by_size = [
        {each.name: each for each in demands(figures[store], Use(conversations=size), deployment)}
        for size in SIZES
    ]
    rows = [
        [name, each.unit, *(f"{found[name].needed:,.3g} ({found[name].share:.0%})" for found in by_size)]
        for name, each in by_size[-1].items()
    ]
    heads = ["needed", "in", *(f"{size:,.0f}" for size in SIZES)]
    return f"### {deployment.name}\n\n" + _table(heads, rows)


def _checks(checks: Sequence[Checked]) -> str:
    rows = [
        [each.name, *(f"{value:.3g}" for value in (each.model, each.simulated, each.measured))]
        for each in checks
    ]
    return _table(["", "model", "simulation", "measured"], rows)


def _played(figures: Mapping[StoreName, Figures]) -> str:
    """One process whose slots are used up to some share: what people wait for, besides the model."""
    found = figures["sqlite"]
    rows: list[list[str]] = []
    for share in (0.3, 0.5, FULL, 0.85, 0.95):
        played = play_at(found, share)
        rows.append(
            [
                f"{share:.0%}",
                f"{played.at_once:.1f}",
                f"{played.cores:.2f}",
                f"{played.waited_p50:.2f}",
                f"{played.waited_p99:.2f}",
            ]
        )
    return _table(["slots in use", "turns at once", "cores", "waited, half", "waited, all but 1 %"], rows)


def play_at(figures: Figures, share: float, *, seconds: float = 1_800.0) -> Played:
    """A process whose slots are used up to a share, played out."""
    use, slots = Use(conversations=1), Deployment(name="").slots
    rate = share * slots / use.turn_seconds
    stage = Stage(
        conversations=max(1, int(rate * 86_400 / use.peak / use.turns)),
        rate=rate,
        turn_seconds=use.turn_seconds,
        slots=slots,
        cores=1,
        turn_cpu_us=figures.turn_cpu_us,
        store_servers=1,
        store_us=figures.writer_us,
    )
    return play(stage, seconds=seconds, seed=3)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _round(number: float) -> str:
    digits = len(f"{number:.0f}") - 2
    return f"{round(number, -digits):,.0f}"
