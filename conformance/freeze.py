"""Freezes a level: `python -m conformance.freeze 2026.1`.

Writes every rule that is written and not provisional into the level's file, with a SHA-256 over the sorted ids, and that
hash into `published.toml` and `LEVELS.md`. A frozen level never changes; before its release `--before-release` lets it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import hosting_testkit.conformance.levels
from hosting import CONTRACT
from hosting_testkit.conformance import UnknownLevel, catalogue, read_level, written_rules
from hosting_testkit.conformance.levels import Level, digest, levels

FOLDER = Path(hosting_testkit.conformance.levels.__file__).parent
TABLE = Path(__file__).with_name("LEVELS.md")


class Frozen(ValueError):
    """The level is frozen; the text says how to go on."""


def main(argv: Sequence[str] | None = None) -> int:
    """Freezes one level; 0 if it was done, 2 if not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level")
    parser.add_argument("--before-release", action="store_true", help="freeze again what is not released yet")
    arguments = parser.parse_args(argv)
    try:
        sha256 = freeze(arguments.level, FOLDER, TABLE, again=arguments.before_release)
    except (Frozen, UnknownLevel) as error:
        print(f"freeze: {error}", file=sys.stderr)  # noqa: T201
        return 2
    print(f"{arguments.level}: {sha256}")  # noqa: T201
    return 0


def freeze(name: str, folder: Path, table: Path, *, again: bool = False) -> str:
    """Writes the level's file below `folder` and the published hashes; gives the hash.

    Raises:
        Frozen: It is frozen already and `again` is False, or its name is not a number.
    """
    if not re.fullmatch(r"\d+\.\d+", name):
        raise Frozen(f"{name!r} is no level; expected a number such as 2026.1")
    level = read_level(name) if name in levels() else None
    if level is not None and level.frozen and not again:
        raise Frozen(
            f"{name} is frozen; new rules go into the next level (--before-release if it is not out)"
        )
    ids = sorted(id for id, rule in written_rules().items() if not rule.provisional)
    sha256 = digest(ids)
    (folder / f"{name}.toml").write_text(level_file(name, ids, level), encoding="utf-8")
    hashes = {other: read_level(other).sha256 for other in levels() if read_level(other).frozen} | {
        name: sha256
    }
    lines = [f'"{other}" = "{value}"' for other, value in sorted(hashes.items())]
    head = "# SHA-256 of each frozen level as it was released; written by `python -m conformance.freeze`.\n"
    (folder / "published.toml").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    table.write_text(levels_table(hashes, {name: len(ids)}), encoding="utf-8")
    return sha256


def level_file(name: str, ids: Sequence[str], before: Level | None) -> str:
    """The level's file; rules that a challenge took out stay out."""
    lines = [
        "# Frozen: written by `python -m conformance.freeze`, and never changed after its release but for [[excluded]],",
        "# the rules that an accepted challenge takes out of the score.",
        f'level = "{name}"',
        f'contract = "{CONTRACT}"',
        f'sha256 = "{digest(ids)}"',
        "rules = [",
        *(f'    "{id}",' for id in sorted(ids)),
        "]",
    ]
    for rule, reason in sorted(before.excluded.items()) if before else ():
        lines += ["", "[[excluded]]", f'rule = "{rule}"', f"reason = {json.dumps(reason)}"]
    return "\n".join(lines) + "\n"


def levels_table(hashes: dict[str, str], sizes: dict[str, int]) -> str:
    """The published hashes, for readers."""
    lines = [
        "# Levels",
        "",
        "A level is a frozen list of rules; channels are scored against one. The hash is over its sorted ids, one a line:",
        "`hosting-testkit check --freeze-check` compares the installed list with it. Written by",
        "`python -m conformance.freeze`.",
        "",
        f"The contract has {len(catalogue())} rules.",
        "",
        "| level | rules | SHA-256 |",
        "|---|---|---|",
    ]
    for name, sha256 in sorted(hashes.items()):
        count = sizes.get(name) or len(read_level(name).rules)
        lines.append(f"| {name} | {count} | `{sha256}` |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
