"""`hosting new-channel NAME --kind rpc|webhook-bot|polling-bot`: writes a package with a channel that works."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from .scaffold import KINDS, BadName, ChannelNames, package_files, read_name

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage] - has no public name


class WouldOverwrite(FileExistsError):
    """Files are in the way; nothing was written."""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("new-channel", help="write the package of a new channel")
    parser.add_argument("name", metavar="NAME", help="the channel's name, such as acme-chat")
    parser.add_argument("--kind", required=True, choices=tuple(KINDS), help="what it is like")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where to write (hosting-NAME)")
    parser.set_defaults(run=_new_channel)


def write_package(names: ChannelNames, kind: str, into: Path) -> list[Path]:
    """Writes all files of a new package, or none.

    Args:
        names: What it is called.
        kind: One of `scaffold.KINDS`.
        into: The project's folder; made if it is not there.

    Raises:
        WouldOverwrite: A file is there already.
    """
    files = {
        into / path: text for path, text in package_files(names, kind, version=version("hosting")).items()
    }
    if there := [str(path) for path in files if path.exists()]:
        raise WouldOverwrite(
            f"found {', '.join(there)}, expected none of them; name another folder with --into"
        )
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(files)


def _new_channel(arguments: argparse.Namespace) -> int:
    try:
        names = read_name(arguments.name)
        into: Path = arguments.into or Path(names.distribution)
        written = write_package(names, arguments.kind, into)
    except (BadName, OSError) as error:
        print(f"hosting: {error}", file=sys.stderr)
        return 2
    print(f"wrote {len(written)} files of {names.distribution} into {into}; next:")
    for step in (
        f"cd {into}",
        "pip install -e '.[dev]'",
        f"pytest --conformance {names.channel}",
    ):
        print(f"  {step}")
    return 0
