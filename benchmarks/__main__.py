"""`python -m benchmarks [--quick] [--only NAME | --all] [--json PATH] [--page PATH]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .catalogue import SCENARIOS, everyday
from .report import Result, as_json, as_page, as_table
from .runner import run_in_own_process
from .scale import FULL, QUICK, TINY

_SCALES = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the scenarios, prints their tables and writes what was asked for."""
    asked = _parsed(arguments)
    results: list[Result] = []
    try:
        for name in asked.only or (SCENARIOS if asked.all else everyday()):
            results.append(run_in_own_process(name, _SCALES[asked.scale]))
            print(as_table(results[-1]), end="\n\n", flush=True)
    finally:  # a scenario that fails takes nothing from those before it
        _write(asked.json, as_json(results, scale=asked.scale))
        _write(asked.page, as_page(results, scale=asked.scale).encode())
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What the host costs.")
    scales = parser.add_mutually_exclusive_group()
    scales.add_argument("--quick", dest="scale", action="store_const", const="quick", help="about a minute")
    scales.add_argument("--tiny", dest="scale", action="store_const", const="tiny", help="only that it runs")
    parser.add_argument("--only", action="append", choices=[*SCENARIOS], help="may be given several times")
    parser.add_argument("--all", action="store_true", help="also what runs only by name")
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks/results/last.json"), help="all readings"
    )
    parser.add_argument("--page", type=Path, help="the tables as Markdown")
    parser.set_defaults(scale="full")
    return parser.parse_args(arguments)


def _write(path: Path | None, content: bytes) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
