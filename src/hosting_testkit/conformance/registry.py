"""Which rules exist: their texts from the packaged catalogue, their bodies from `rules/`.

The two are checked both ways: a body with an unknown id cannot be imported, a text without a body is provisional.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..drivers.capabilities import NAMES
from .model import RuleText

if TYPE_CHECKING:
    from .kit import Kit

Body = Callable[["Kit"], Coroutine[Any, Any, None]]

_PACKAGE = __name__.rpartition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that is written.

    Args:
        text: What it states.
        body: Runs it.
        needs: Names of the capabilities without which it does not apply.
        unless: Names of the capabilities with which it does not apply.
        any_of: Names of capabilities of which it needs one; `name.number` needs that number in the claim too.
        why: What goes wrong for people where it is broken.
        once: It looks at the channel as an object, so one transport is enough.
        provisional: Why it is outside the score; "" inside.
    """

    text: RuleText
    body: Body
    needs: Sequence[str]
    why: str
    unless: Sequence[str] = ()
    any_of: Sequence[str] = ()
    once: bool = False
    provisional: str = ""

    @property
    def id(self) -> str:
        """As in the catalogue."""
        return self.text.id

    @property
    def source(self) -> tuple[str, int]:
        """File and line, from 0, of the body."""
        return inspect.getsourcefile(self.body) or "", inspect.getsourcelines(self.body)[1] - 1


class UnknownRule(LookupError):
    """No rule of the catalogue has this id, or matches this pattern."""


_written: dict[str, Rule] = {}


def rule(
    id: str,
    *,
    needs: Sequence[str] = (),
    unless: Sequence[str] = (),
    any_of: Sequence[str] = (),
    why: str,
    once: bool = False,
    provisional: str = "",
) -> Callable[[Body], Body]:
    """Registers a coroutine as the body of rule `id`; see `Rule` for the arguments.

    Raises:
        UnknownRule: The catalogue has no such id, or no such capability exists.
        ValueError: The rule has a body already.
    """
    if id not in catalogue():
        raise UnknownRule(f"{id} is not in the catalogue: found in code, expected in rules.json")
    if unknown := {*needs, *unless, *(name.partition(".")[0] for name in any_of)} - set(NAMES):
        raise UnknownRule(
            f"{id} needs {sorted(unknown)}, which is no capability; known are {', '.join(NAMES)}"
        )

    def register(body: Body) -> Body:
        if id in _written:
            raise ValueError(f"{id} has two bodies; a rule has one")
        _written[id] = Rule(
            text=catalogue()[id],
            body=body,
            needs=tuple(needs),
            unless=tuple(unless),
            any_of=tuple(any_of),
            why=why,
            once=once,
            provisional=provisional,
        )
        return body

    return register


@cache
def catalogue() -> Mapping[str, RuleText]:
    """Every rule of the contract by id, written or not."""
    return {entry["id"]: RuleText(**entry) for entry in _data()["rules"]}


@cache
def defects() -> Mapping[str, tuple[str, frozenset[str]]]:
    """Every seeded defect of the catalogue: what it is, and the rules that must find it."""
    return {entry["id"]: (entry["defect"], frozenset(entry["kills"])) for entry in _data()["mutants"]}


def contract_level() -> str:
    """The version of the contract that the catalogue belongs to."""
    return _data()["contract"]


def written_rules() -> Mapping[str, Rule]:
    """Every written rule by id, in the order of the catalogue."""
    _import_bodies()
    return {id: _written[id] for id in catalogue() if id in _written}


@cache
def _import_bodies() -> None:
    package = importlib.import_module(f"{_PACKAGE}.rules")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


@cache
def _data() -> dict[str, Any]:
    return json.loads((files(_PACKAGE) / "rules.json").read_text(encoding="utf-8"))
