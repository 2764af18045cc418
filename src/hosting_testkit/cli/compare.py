"""`diff` and `matrix`: several JSON reports."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conformance.report.compare import diff, matrix
from ..conformance.report.json import SCHEMA
from .usage import UsageError

if TYPE_CHECKING:
    from .usage import Commands


def add(commands: Commands) -> None:
    """Adds the commands."""
    two = commands.add_parser("diff", help="compare two JSON reports")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    two.set_defaults(run=_diff)
    many = commands.add_parser("matrix", help="make one table of many JSON reports")
    many.add_argument("files", nargs="+", type=Path, metavar="FILE")
    many.set_defaults(run=_matrix)


def _diff(arguments: argparse.Namespace) -> int:
    print(diff(_read(arguments.old), _read(arguments.new)))
    return 0


def _matrix(arguments: argparse.Namespace) -> int:
    print(matrix([_read(path) for path in arguments.files]))
    return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = data["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no conformance report: {type(error).__name__}: {error}") from error
    if found != SCHEMA:
        raise UsageError(f"{path}: found schema {found}, this kit reads {SCHEMA}; run the check again")
    return data
