"""One level: the rules of it, and the hash that shows that nobody changed them.

The contract's number and the level's are two: a contract may get several levels, as more of it is tested.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ...drivers.capabilities import PROFILES, Profile
from ..registry import catalogue, written_rules

NEXT = "next"
PUBLISHED = "published"
_NAME = re.compile(r"\d+(\.\d+)*")
_COMPARE: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}


class UnknownLevel(LookupError):
    """There is no such level, or none that the driver supports."""


class FrozenDiffers(ValueError):
    """A level file is not what was released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a channel is scored against.

    Args:
        name: `2026.1`, or `next`.
        contract: The version of the host contract that it tests.
        rules: Ids of its rules; the denominator of every report.
        sha256: Of the sorted ids; "" while the level is not frozen.
        excluded: Rules that an accepted challenge took out, by id with the reason.
    """

    name: str
    contract: str
    rules: frozenset[str]
    sha256: str = ""
    excluded: Mapping[str, str]

    @property
    def frozen(self) -> bool:
        """Its list does not change any more."""
        return bool(self.sha256)

    @property
    def scored(self) -> frozenset[str]:
        """What counts: its rules without the excluded ones."""
        return self.rules - self.excluded.keys()

    def minimum(self, profile: Profile) -> int:
        """How many rules must run at least for a channel of this profile: those that need nothing more than it has."""
        has, written = set(PROFILES[profile]), written_rules()
        return sum(
            set(written[id].needs) <= has and not (written[id].unless or written[id].any_of)
            for id in self.scored
            if id in written
        )


def digest(ids: Iterable[str]) -> str:
    """SHA-256 over the sorted ids, one a line."""
    return hashlib.sha256("".join(f"{id}\n" for id in sorted(ids)).encode()).hexdigest()


@cache
def read_level(name: str) -> Level:
    """The level `name`; one that is not frozen holds what is written and not provisional.

    Raises:
        UnknownLevel: There is none.
        FrozenDiffers: It holds ids that the catalogue does not have.
    """
    data = _files().get(name)
    if data is None:
        raise UnknownLevel(f"no level {name!r}; known are {', '.join([*levels(), NEXT])}")
    listed: frozenset[str] = frozenset(data.get("rules", ()))
    if unknown := listed - catalogue().keys():
        raise FrozenDiffers(f"level {name} lists {sorted(unknown)}, expected ids of the catalogue")
    sha256 = data.get("sha256", "")
    return Level(
        name=name,
        contract=data["contract"],
        rules=listed if sha256 else listed | _scorable(),
        sha256=sha256,
        excluded={entry["rule"]: entry["reason"] for entry in data.get("excluded", ())},
    )


def levels() -> list[str]:
    """The names of all levels but `next`, oldest first."""
    return sorted((name for name in _files() if _NAME.fullmatch(name)), key=_number)


def newest_for(supported: str) -> str:
    """The newest level in a range such as `>=2026.1,<2027`; "" means any.

    Raises:
        UnknownLevel: No level of this kit is in it, or it cannot be read.
    """
    fitting = [name for name in levels() if _within(_number(name), supported)]
    if not fitting:
        raise UnknownLevel(f"the driver supports {supported!r}; this kit has {', '.join(levels())}")
    return fitting[-1]


def check_frozen(name: str) -> str:
    """Compares a level with its own hash and with the published one; gives the hash.

    Raises:
        FrozenDiffers: It is not frozen, or differs.
        UnknownLevel: There is none.
    """
    level = read_level(name)
    if not level.frozen:
        raise FrozenDiffers(f"level {name} is not frozen yet, so there is no published hash to compare with")
    published = _files().get(PUBLISHED, {}).get(name, "no published hash")
    for what, expected in (("the hash in its own file", level.sha256), ("the published hash", published)):
        if digest(level.rules) != expected:
            raise FrozenDiffers(
                f"level {name}: found {digest(level.rules)} over {len(level.rules)} ids, expected {expected} "
                f"({what}); install the kit anew"
            )
    return level.sha256


def _scorable() -> frozenset[str]:
    return frozenset(id for id, rule in written_rules().items() if not rule.provisional)


@cache
def _files() -> Mapping[str, Mapping[str, Any]]:
    """The packaged level files by the level's name."""
    folder = files(__name__.rpartition(".")[0])
    return {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }


def _number(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split(".")))


def _within(number: tuple[int, ...], supported: str) -> bool:
    for part in filter(None, (part.strip() for part in supported.split(","))):
        match = re.fullmatch(r"(>=|<=|==|>|<)\s*(\d+(?:\.\d+)*)", part)
        if match is None:
            raise UnknownLevel(f"the driver's contract {supported!r} is no range, such as '>=2026.1,<2027'")
        if not _COMPARE[match[1]](number, _number(match[2])):
            return False
    return True
