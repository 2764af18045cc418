"""`hosting-testkit`: the conformance kit without pytest.

    hosting-testkit check NAME…          runs the rules on channels
    hosting-testkit list                 lists the rules
    hosting-testkit explain ID           tells what one rule is about
    hosting-testkit challenge ID         prints a report against a rule
    hosting-testkit mutants              lists the seeded defects that rules must find
    hosting-testkit init NAME --kind K   writes a driver to fill in
    hosting-testkit doctor NAME          says what is missing in an environment and a driver
    hosting-testkit diff OLD NEW         compares two JSON reports
    hosting-testkit matrix FILE…         makes one table of many JSON reports

Exit codes of `check`: 0 conformant, 1 not conformant, 2 usage, 3 the kit itself failed, 4 too few rules ran.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..conformance.plan import USAGE_ERRORS
from . import check, compare, doctor, init, rules
from .usage import UsageError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the arguments of the process if none are given."""
    parser = argparse.ArgumentParser(
        prog="hosting-testkit", description="Conformance of channels with the host contract."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (check, rules, init, doctor, compare):
        module.add(commands)
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except (UsageError, *USAGE_ERRORS) as error:
        print(f"hosting-testkit: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head` has read enough
        sys.stderr.close()
        return 0
