"""`conformance.toml`: which channels a project has, for `pytest --conformance` and the command line.

[[channel]]
driver = "mypackage.conformance:Driver"   # or the name of an installed channel
level  = "2026.1"                         # all that follow may be left out
ledger = "conformance.ledger.toml"        # relative to this file
strict = true
tier   = 1
rules  = ["HC-STREAM-*"]
areas  = ["AUTH"]
variants = ["webhook"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from .selection import WHOLE, Selection

FILE = "conformance.toml"

_STRINGS = ("rules", "areas", "variants")
_FIELDS = frozenset({"driver", "level", "ledger", "strict", "tier", *_STRINGS})


class ProjectError(ValueError):
    """The file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One channel of a project and how to run it.

    Args:
        driver: What finds its driver.
        selection: Which rules.
        level: The level; "" means the driver's newest.
        ledger: Expected failures.
        strict: As `Terms.strict`.
    """

    driver: str
    selection: Selection = field(default_factory=Selection)
    level: str = ""
    ledger: Path | None = None
    strict: bool = False


def read_project(path: Path) -> list[Wanted]:
    """The channels of a file.

    Raises:
        ProjectError: It cannot be read, or holds something else.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: {error}") from error
    tables: Any = data.get("channel", [])
    if data.keys() != {"channel"} or not isinstance(tables, list):
        raise ProjectError(f"{path}: expected [[channel]] tables and nothing else, found {sorted(data)}")
    given = cast("list[Any]", tables)
    return [_wanted(table, f"{path}, channel {number}", path) for number, table in enumerate(given, 1)]


def _wanted(table: Any, where: str, path: Path) -> Wanted:
    if not isinstance(table, dict) or not isinstance(cast("dict[str, Any]", table).get("driver"), str):
        raise ProjectError(f"{where}: expected a driver, the name of a channel or module:factory")
    fields = cast("dict[str, Any]", table)
    if unknown := fields.keys() - _FIELDS:
        raise ProjectError(f"{where}: unknown {sorted(unknown)}; known are {', '.join(sorted(_FIELDS))}")
    for name in _STRINGS:
        _expect(fields, name, _strings, "a list of texts", where)
    _expect(fields, "tier", lambda value: type(value) is int and 0 <= value <= WHOLE, f"0 to {WHOLE}", where)
    _expect(fields, "strict", lambda value: isinstance(value, bool), "true or false", where)
    ledger = fields.get("ledger")
    return Wanted(
        driver=fields["driver"],
        selection=Selection(
            tier=fields.get("tier", WHOLE),
            patterns=tuple(fields.get("rules", ())),
            areas=tuple(fields.get("areas", ())),
            variants=tuple(fields.get("variants", ())),
        ),
        level=str(fields.get("level", "")),
        ledger=path.parent / str(ledger) if ledger else None,
        strict=fields.get("strict", False),
    )


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in cast("list[Any]", value))


def _expect(
    fields: Mapping[str, Any], name: str, fits: Callable[[Any], bool], expected: str, where: str
) -> None:
    if name in fields and not fits(fields[name]):
        raise ProjectError(f"{where}: {name} = {fields[name]!r}, expected {expected}")
