"""`python -m benchmarks.crashes [--stride N] [--only SCENARIO] [--store STORE] [--postgres URL]
[--keep PATH] [--page PATH]`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from .report import as_page
from .sweep import SCENARIOS, Found, Scenario, Sweep, every_step, sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the sweep, prints a line for each scenario, and writes the page; 1 if there was a defect."""
    asked = _parsed(arguments)
    found = asyncio.run(_swept(asked))
    return int(any(run.defects for run in found))


async def _swept(asked: argparse.Namespace) -> list[Found]:
    """All runs; the page is written after each scenario, so that a sweep that is broken off has one."""
    found: list[Found] = [*_kept(asked.keep)]
    scenarios = [scenario for scenario in SCENARIOS if not asked.only or scenario.name in asked.only]
    async with sweep(asked.postgres) as on:
        for store in asked.store or ["folder", *(["postgres"] if asked.postgres else [])]:
            for scenario in scenarios:
                runs = await _one(on, scenario, _store(scenario, store), asked.stride)
                _keep(asked.keep, runs)
                found += runs
                asked.page.write_text(as_page(found))
    return found


def _store(scenario: Scenario, store: str) -> str:
    return "sqlite" if scenario.shared and store == "folder" else store


async def _one(on: Sweep, scenario: Scenario, store: str, stride: int) -> list[Found]:
    began = time.monotonic()
    found = [run async for run in every_step(on, scenario, store, stride=stride)]
    deaths = sum(run.step is not None for run in found)
    outcomes = dict(Counter(run.outcome for run in found if run.step))
    seconds = time.monotonic() - began
    print(f"{scenario.name} on {store}: {deaths} deaths in {seconds:.0f} s, {outcomes}", flush=True)
    for run in found:
        for defect in run.defects:
            print(f"  DEFECT killed {run.step}: {defect}", flush=True)
    return found


def _kept(path: Path | None) -> Sequence[Found]:
    """The runs of earlier parts of the sweep."""
    if path is None or not path.exists():
        return ()
    return [msgspec.json.decode(line, type=Found) for line in path.read_bytes().splitlines()]


def _keep(path: Path | None, runs: Sequence[Found]) -> None:
    if path is not None:
        with path.open("ab") as file:
            file.writelines(msgspec.json.encode(run) + b"\n" for run in runs)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crashes", description="What a killed process leaves behind."
    )
    parser.add_argument("--stride", type=int, default=1, help="every how many-th step; 1 is all")
    parser.add_argument("--only", action="append", choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument(
        "--postgres",
        default=os.environ.get("HOSTING_TEST_POSTGRES"),
        help="postgresql://host/database; without it, and without HOSTING_TEST_POSTGRES, SQLite alone",
    )
    parser.add_argument("--store", action="append", choices=["folder", "postgres"], help="both, if not given")
    parser.add_argument("--keep", type=Path, help="a file of runs, to make one page of a sweep in parts")
    parser.add_argument("--page", type=Path, default=Path("benchmarks/CRASHES.md"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
