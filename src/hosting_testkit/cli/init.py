"""`init`: writes a driver to fill in, with every hook there is, stubbed and commented."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .template import KINDS, driver_file
from .usage import UsageError

if TYPE_CHECKING:
    from .usage import Commands

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("init", help="write a driver to fill in")
    parser.add_argument("name", metavar="NAME", help="name of the channel, such as acme-chat")
    parser.add_argument("--kind", choices=KINDS, default="rpc", help="what the channel is like")
    parser.add_argument(
        "--path", type=Path, default=Path("conformance.py"), help="where to write it (conformance.py)"
    )
    parser.set_defaults(run=_init)


def _init(arguments: argparse.Namespace) -> int:
    if not _NAME.fullmatch(arguments.name):
        raise UsageError(
            f"name {arguments.name!r}: expected letters, digits, '-' and '_', a letter first, such as acme-chat"
        )
    if arguments.path.exists():
        raise UsageError(f"{arguments.path} exists; name another with --path")
    arguments.path.parent.mkdir(parents=True, exist_ok=True)
    arguments.path.write_text(driver_file(arguments.name, arguments.kind), encoding="utf-8")
    print(f"{arguments.path}: fill in make(), then `hosting-testkit doctor MODULE:Driver`")
    return 0
