"""`python -m benchmarks.capacity [--quick] [--page PATH] [--json PATH]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from .. import postgres
from .check import check
from .figures import Figures, StoreName
from .measure import figures_of
from .page import as_page


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, puts it into the model, and writes what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.capacity", description="What gives out first."
    )
    parser.add_argument("--quick", action="store_true", help="half a minute; for a first look")
    parser.add_argument("--page", type=Path, help="the page as Markdown")
    parser.add_argument(
        "--json", type=Path, help="the figures; read instead of measured where the file exists"
    )
    asked = parser.parse_args(arguments)
    figures = _figures(asked.json, quick=asked.quick)
    checks = check(
        figures["sqlite"], rate=20.0 if asked.quick else 40.0, seconds=3.0 if asked.quick else 30.0
    )
    page = as_page(figures, checks, missing=postgres.left_out())
    print(page)
    if asked.page is not None:
        asked.page.write_text(page)
    return 0


def _figures(kept: Path | None, *, quick: bool) -> dict[StoreName, Figures]:
    if kept is not None and kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=dict[StoreName, Figures])
    conversations, turns = (50, 4) if quick else (1_000, 10)
    stores: tuple[StoreName, ...] = ("sqlite",) if postgres.left_out() else ("sqlite", "postgres")
    found: dict[StoreName, Figures] = {
        store: figures_of(store, conversations=conversations, turns=turns) for store in stores
    }
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    return found


if __name__ == "__main__":
    sys.exit(main())
