"""`list`, `explain`, `challenge` and `mutants`: what the kit knows, without a run."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..conformance import catalogue, written_rules
from ..conformance.explain import challenge, explain
from ..conformance.registry import UnknownRule

if TYPE_CHECKING:
    from .usage import Commands


def add(commands: Commands) -> None:
    """Adds the commands."""
    listing = commands.add_parser("list", help="list the rules")
    listing.add_argument("--tier", type=int, default=3, choices=range(4))
    listing.set_defaults(run=_list)
    about = commands.add_parser("explain", help="tell what one rule is about")
    about.add_argument("id", metavar="ID")
    about.set_defaults(run=_explain)
    against = commands.add_parser("challenge", help="print a report against a rule, to fill in")
    against.add_argument("id", metavar="ID")
    against.set_defaults(run=_challenge)
    seeded = commands.add_parser("mutants", help="list the seeded defects that rules must find")
    seeded.add_argument("--rule", default="*", metavar="PAT", help="id or glob of rules")
    seeded.set_defaults(run=_mutants)


def _list(arguments: argparse.Namespace) -> int:
    written = written_rules()
    for text in catalogue().values():
        if text.in_tier(arguments.tier):
            state = "" if text.id in written else "  (not written yet)"
            print(f"{text.id}  {text.level}  {text.text}{state}")
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    print(explain(arguments.id))
    return 0


def _challenge(arguments: argparse.Namespace) -> int:
    print(challenge(arguments.id))
    return 0


def _mutants(arguments: argparse.Namespace) -> int:
    from ..conformance.mutants import mutants  # with every reference channel; no other command needs them

    rows = [
        f"{rule}  {mutant.id} ({mutant.driver.name}): {mutant.defect}"
        for mutant in mutants()
        for rule in mutant.kills
        if fnmatchcase(rule, arguments.rule)
    ]
    if not rows:
        raise UnknownRule(f"no seeded defect for {arguments.rule!r}; `hosting-testkit list` shows all rules")
    print("\n".join(sorted(rows)))
    return 0
