"""Results as a table to read, as JSON to compare, and as the page that is kept in the repository."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from . import machine
from .stats import Row, Series

_HEADS = (
    "case",
    "unit",
    "host",
    "(least to most)",
    "other",
    "(least to most)",
    "ratio",
    "(least to most)",
    "",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one scenario found.

    Args:
        name: Its name on the command line.
        title: What was measured.
        rows: The findings.
        seconds: How long it took.
        load_average: Of the machine, at its end.
        left_out: What was not measured, and why; "" for nothing.
    """

    name: str
    title: str
    rows: Sequence[Row]
    seconds: float
    load_average: float
    left_out: str = ""


def as_table(result: Result) -> str:
    """One scenario as lines of text; a ratio of 1.0 is level with the other side, 0.5 costs twice as much."""
    lines = [_HEADS, *(_cells(row) for row in result.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    head = f"{result.name}: {result.title}  [{result.seconds:.0f} s, load average {result.load_average:.1f}]"
    remarks = [result.left_out] if result.left_out else []
    return "\n".join([head, *(_line(line, widths) for line in lines), *remarks])


def as_json(results: Sequence[Result], *, scale: str) -> bytes:
    """All that was measured, every reading included."""
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                "scale": scale,
                "machine": machine.facts(),
                "scenarios": [_scenario(result) for result in results],
            }
        ),
        indent=2,
    )


def as_page(results: Sequence[Result], *, scale: str) -> str:
    """The page `RESULTS.md`."""
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    facts = "\n".join(f"- {name}: {value}" for name, value in machine.facts().items())
    tables = "\n\n".join(f"```text\n{as_table(result)}\n```" for result in results)
    return (
        "# Results of the last run\n\n"
        f"Written by `python -m benchmarks --all --page benchmarks/RESULTS.md` on {date} ({scale}). "
        "How to read it: [README.md](README.md).\n\n"
        f"{facts}\n\n{tables}\n"
    )


def _scenario(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "seconds": round(result.seconds, 1),
        "load_average": round(result.load_average, 2),
        "left_out": result.left_out,
        "rows": [
            {
                "case": row.case,
                "unit": row.unit,
                "beside": row.beside,
                "host": _series(row.host),
                "other": _series(row.other),
                "ratio": round(row.ratio, 4),
                "ratios": _series(row.ratios),
                "target": row.target,
                "note": row.note,
            }
            for row in result.rows
        ],
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "median": round(series.median, 4),
        "least": round(series.least, 4),
        "most": round(series.most, 4),
        "values": [round(value, 4) for value in series.values],
    }


def _cells(row: Row) -> tuple[str, ...]:
    ratio, ratios = f"{row.ratio:.2f}", f"{row.ratios.least:.2f} to {row.ratios.most:.2f}"
    remarks = [_judged(row), row.note]
    return (
        row.case,
        row.unit,
        _number(row.host.median),
        _range(row.host),
        f"{_number(row.other.median)} {row.beside}",
        _range(row.other),
        ratio,
        ratios,
        "; ".join(filter(None, remarks)),
    )


def _judged(row: Row) -> str:
    if row.target is None:
        return ""
    return f"target {row.target:g}: {'reached' if row.ratio >= row.target else 'missed'}"


def _range(series: Series) -> str:
    return "" if len(series.values) == 1 else f"{_number(series.least)} to {_number(series.most)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
