"""`check`: runs the rules on channels."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..conformance.engine import fresh_seed
from ..conformance.explain import challenge
from ..conformance.ledger import FILE as LEDGER_FILE
from ..conformance.ledger import propose
from ..conformance.levels import check_frozen, newest_for
from ..conformance.plan import Planned, plan
from ..conformance.project import FILE as PROJECT_FILE
from ..conformance.project import Wanted, read_project
from ..conformance.report import FORMATS, Output, Report, render, write_scripts
from ..conformance.report.terminal import evidence_text
from ..conformance.selection import WHOLE, Selection
from .usage import UsageError

if TYPE_CHECKING:
    from .usage import Commands

_WORST_FIRST = (3, 1, 4, 0)


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("check", help="run the rules on channels")
    option = parser.add_argument
    option("channels", nargs="*", metavar="NAME", help=f"channel, module:factory, {PROJECT_FILE} or all")
    option("--level", default="", help="frozen set to score against, such as 2026.1, or next")
    option("--tier", type=int, default=WHOLE, choices=range(4), help="highest tier; 0 is the smoke set")
    option("--rule", action="append", default=[], metavar="PAT", help="ids or globs of rules")
    option("--area", action="append", default=[], metavar="AREA,...", help="areas, such as AUTH,SEC")
    option("--variant", action="append", default=[], metavar="NAME", help="transports, such as webhook")
    option("--ledger", type=Path, metavar="PATH", help=f"expected failures; {LEDGER_FILE} if present")
    option("--strict", action="store_true", help="SHOULD counts, nothing may be undeclared")
    option("--report", action="append", default=[], metavar="FMT[=PATH]", help=", ".join(FORMATS))
    option("--seed", type=int, metavar="N", help="makes the random texts of two runs equal")
    option("--trace", action="store_true", help="print the transcripts of failing rules")
    option("--repro", type=Path, metavar="DIR", help="write stand-alone scripts for failures")
    option("--write-ledger", action="store_true", help=f"propose entries for failures in {LEDGER_FILE}")
    option("--freeze-check", action="store_true", help="compare the level file with its published hash")
    parser.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    sys.path.insert(0, "")  # a driver of the project that this is called in
    if arguments.freeze_check:
        name = arguments.level or newest_for("")
        print(f"level {name}: {check_frozen(name)}")
        if not arguments.channels:
            return 0
    outputs = [Output.parse(wanted) for wanted in arguments.report]
    seed = fresh_seed() if arguments.seed is None else arguments.seed
    planned = plan(_wanted(arguments), seed=seed)
    reports = [_run(one, arguments) for one in planned]
    for output in outputs:
        for note in output.write(reports):
            print(note)
    if arguments.write_ledger:
        _write_ledger(arguments.ledger or Path(LEDGER_FILE), reports)
    _challenges(planned, reports)
    codes = {report.exit_code for report in reports}
    return next(code for code in _WORST_FIRST if code in codes)


def _wanted(arguments: argparse.Namespace) -> list[Wanted]:
    names = arguments.channels or ([PROJECT_FILE] if Path(PROJECT_FILE).is_file() else [])
    if not names:
        raise UsageError(f"which channel? Name one, `all`, or write a {PROJECT_FILE}")
    areas = [area.strip() for text in arguments.area for area in text.split(",")]
    selection = Selection(
        tier=arguments.tier, patterns=arguments.rule, areas=areas, variants=arguments.variant
    )
    default = Path(LEDGER_FILE) if Path(LEDGER_FILE).is_file() else None
    wanted: list[Wanted] = []
    for name in names:
        if name.endswith(".toml"):
            wanted += read_project(Path(name))
            continue
        ledger = arguments.ledger or default
        wanted.append(
            Wanted(
                driver=name,
                selection=selection,
                level=arguments.level,
                ledger=ledger,
                strict=arguments.strict,
            )
        )
    return wanted


def _run(planned: Planned, arguments: argparse.Namespace) -> Report:
    report = planned.report([planned.run(item) for item in planned.items()])
    repro = ""
    if arguments.repro is not None:
        repro = str(arguments.repro)
        write_scripts(report, arguments.repro, address=planned.address)
    print(render(report, address=planned.address, repro=repro, trace=arguments.trace))
    return report


def _write_ledger(path: Path, reports: Sequence[Report]) -> None:
    entries = "".join(propose(report.channel, report.results) for report in reports)
    if not entries:
        print("nothing to list: no failure that is not in the ledger")
        return
    before = path.read_text(encoding="utf-8").rstrip("\n") + "\n\n" if path.is_file() else ""
    head = before or f'level = "{reports[0].level.name}"\n\n'
    path.write_text(head + entries, encoding="utf-8")
    print(f"{path}: {entries.count('[[expect]]')} entries proposed; give each a reason")


def _challenges(planned: Sequence[Planned], reports: Sequence[Report]) -> None:
    """A failure that the author calls a mistake of the kit comes with the report to send."""
    for one, report in zip(planned, reports, strict=True):
        disputed = {entry.rule for entry in one.terms.ledger.entries if entry.kind == "kit-bug"}
        for result in report.results:
            if result.rule in disputed and result.listed:
                evidence = evidence_text(result, report.channel, level=report.level.name)
                print(f"\n{challenge(result.rule, evidence)}")
                disputed.remove(result.rule)
