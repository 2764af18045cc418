"""`hosting doctor`: is the store of these hosts well, and does anything wait for an operator?"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import TYPE_CHECKING

from ..clock import SystemTime
from .checks import Finding, examine
from .loading import exit_code
from .stores import add_store_options, named_store

if TYPE_CHECKING:
    from .new_channel import Commands

_LONGEST_WAIT = 900.0
"""Seconds: longer than the longest turn (600 s), behind which an event of the same chat may have to wait."""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "doctor", help="check a host's store while hosts run; exit code 1 when something is wrong"
    )
    add_store_options(parser)
    parser.add_argument(
        "--max-wait",
        type=float,
        default=_LONGEST_WAIT,
        metavar="SECONDS",
        help="an event that waits longer is wrong (%(default)g)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    return exit_code(lambda: _doctor(arguments))


def _doctor(arguments: argparse.Namespace) -> int:
    store = named_store(arguments)
    findings = asyncio.run(examine(store, clock=SystemTime(), max_wait=arguments.max_wait))
    well = all(finding.ok for finding in findings)
    if arguments.json:
        print(json.dumps({"ok": well, "checks": [finding.to_dict() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(_line(finding))
    return 0 if well else 1


def _line(finding: Finding) -> str:
    return f"{'ok   ' if finding.ok else 'WRONG'}  {finding.check:<10}  {finding.said}"
