"""`hosting-testkit`: the conformance kit without pytest.

    hosting-testkit check NAME…     runs the rules on channels
    hosting-testkit list            lists the rules
    hosting-testkit explain ID      tells what one rule is about

Exit codes of `check`: 0 conformant, 1 not conformant, 2 usage, 3 the kit itself failed, 4 no rule ran.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .conformance import (
    Report,
    Selection,
    UnknownChannel,
    UnknownRule,
    catalogue,
    find_drivers,
    run,
    written_rules,
)
from .conformance.registry import defects
from .conformance.report import render, to_json

_WORST_FIRST = (3, 1, 4, 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the arguments of the process if none are given."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (UnknownChannel, UnknownRule) as error:
        print(f"hosting-testkit: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hosting-testkit", description="Conformance of channels with the host contract."
    )
    commands = parser.add_subparsers(required=True)
    check = commands.add_parser("check", help="run the rules on channels")
    check.add_argument("channels", nargs="+", metavar="NAME", help="channel, module:factory or all")
    check.add_argument("--rule", action="append", default=[], metavar="PAT", help="ids or globs of rules")
    check.add_argument(
        "--tier", type=int, default=1, choices=range(4), help="highest tier; 0 is the smoke set"
    )
    check.add_argument("--json", type=Path, metavar="PATH", help="write the report as JSON")
    check.set_defaults(run=_check)
    listing = commands.add_parser("list", help="list the rules")
    listing.add_argument("--tier", type=int, default=3, choices=range(4))
    listing.set_defaults(run=_list)
    explain = commands.add_parser("explain", help="tell what one rule is about")
    explain.add_argument("id", metavar="ID")
    explain.set_defaults(run=_explain)
    return parser


def _check(arguments: argparse.Namespace) -> int:
    sys.path.insert(0, "")  # a driver of the project that this is called in
    selection = Selection(tier=arguments.tier, patterns=arguments.rule)
    selection.rules()
    drivers = [pair for name in arguments.channels for pair in find_drivers(name).items()]
    reports: list[Report] = []
    for address, factory in drivers:
        reports.append(run(factory, selection))
        print(render(reports[-1], address=address))
    if arguments.json is not None:
        arguments.json.write_text(to_json(*reports), encoding="utf-8")
    codes = {report.exit_code for report in reports}
    return next(code for code in _WORST_FIRST if code in codes)


def _list(arguments: argparse.Namespace) -> int:
    written = written_rules()
    for text in catalogue().values():
        if text.in_tier(arguments.tier):
            state = "" if text.id in written else "  (not written yet)"
            print(f"{text.id}  {text.level}  {text.text}{state}")
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    if arguments.id not in catalogue():
        raise UnknownRule(f"no rule {arguments.id!r}; `hosting-testkit list` shows all")
    text = catalogue()[arguments.id]
    rule = written_rules().get(text.id)
    print(f"{text.id} [{text.level}, tier {text.tier}] {text.text}")
    print(f"  why      {rule.why}" if rule else "  not written yet")
    print(f"  needs    {', '.join(rule.needs) or 'nothing' if rule else text.needs}")
    print(f"  clauses  {', '.join(text.clauses)}")
    for mutant in text.mutants:
        print(f"  finds    {mutant}: {defects()[mutant][0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
