"""The commands: `serve`, `doctor`, `dead-letters`, `new-channel`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from . import dead_letters, doctor, new_channel, serve_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0, 1 for what is wrong, 2 for what the user must change."""
    parser = argparse.ArgumentParser(
        prog="hosting", description="Serve an agent or workflow through many channels."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (serve_command, doctor, dead_letters, new_channel):
        command.add(commands)
    parsed = parser.parse_args(arguments)
    return parsed.run(parsed)
