"""Prints the checks that no seeded defect needs: `python -m conformance.dead_checks [--write] [AREA…]`.

Each check of a rule is removed and negated in turn; the kill table, or the reference channels, should notice.
`--write` looks through all areas and makes `CHECKS.md` if nothing is found. Exit code 0: each is needed; 1: some are not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hosting_testkit.conformance import reference, written_rules
from hosting_testkit.conformance.check_table import check_table
from hosting_testkit.conformance.dead_checks import dead_checks
from hosting_testkit.drivers import ChannelDriver

TABLE = Path(__file__).parent / "CHECKS.md"


def references() -> list[type[ChannelDriver]]:
    """The drivers of all reference channels."""
    found = (getattr(reference, name) for name in reference.__all__)
    return [thing for thing in found if isinstance(thing, type) and issubclass(thing, ChannelDriver)]


def main() -> int:
    """Looks through the areas that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = list(dict.fromkeys(rule.text.area for rule in written_rules().values()))
    parser.add_argument("areas", nargs="*", default=known, metavar="AREA")
    parser.add_argument("--write", action="store_true", help="look through all areas, and write CHECKS.md")
    given = parser.parse_args()
    count = 0
    for area in known if given.write else given.areas:
        for dead in dead_checks(f"HC-{area}-*", references()):
            print(dead, flush=True)  # noqa: T201
            count += 1
    print(f"{count} checks that nothing needs")  # noqa: T201
    if given.write and not count:
        TABLE.write_text(check_table(), encoding="utf-8")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
