"""Writes what the kill table says: `python -m conformance.kills` runs the mutants that are new, `--all` runs each.

`KILLS.md` lists them; `signatures.json` in the kit keeps what their failures look like.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import hosting_testkit.conformance
from hosting_testkit.conformance import Selection, catalogue, items_of
from hosting_testkit.conformance.kill import kill, kill_table
from hosting_testkit.conformance.mutants import Mutant, mutants
from hosting_testkit.conformance.signatures import FILE, Signature, signatures, to_text

TABLE = Path(__file__).with_name("KILLS.md")
SIGNATURES = Path(hosting_testkit.conformance.__file__).with_name(FILE)


def keys_of(mutant: Mutant) -> Iterator[tuple[str, str, str, str]]:
    """The keys of the signatures that a mutant has."""
    for rule in mutant.kills:
        for item in items_of(mutant.driver, Selection(patterns=[rule])):
            yield rule, mutant.id, mutant.driver.name, item.variant


def main() -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="run every mutant again")
    again = parser.parse_args().all
    TABLE.write_text(kill_table(), encoding="utf-8")
    known = {} if again else {row.key: row for row in signatures()}
    found: dict[tuple[str, str, str, str], Signature] = {}
    for mutant in mutants():
        keys = list(keys_of(mutant))
        rows = [known[key] for key in keys if key in known]
        if len(rows) < len(keys):
            rows = [outcome.signature for outcome in kill(mutant) if outcome.killed]
        found |= {row.key: row for row in rows}
    order = {id: number for number, id in enumerate(catalogue())}
    SIGNATURES.write_text(to_text(found.values(), order), encoding="utf-8")


if __name__ == "__main__":
    main()
