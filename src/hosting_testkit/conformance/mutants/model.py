"""What a mutant is: a reference channel, or its driver, with one defect that certain rules must find."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ...drivers.base import ChannelDriver
from ..reference import REFERENCES, SPECIAL
from ..registry import UnknownRule, catalogue, defects

C = TypeVar("C", bound=type[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One seeded defect.

    Args:
        id: As in the catalogue.
        kills: The rules that must find it, each with words that its failure text must hold.
        driver: Drives the broken channel, or is the broken thing itself.
        defect: What is broken, in words.
        answers: An ordinary turn still works, so that the rules prove something.
    """

    id: str
    kills: Mapping[str, str]
    driver: type[ChannelDriver]
    defect: str
    answers: bool = True


_mutants: dict[str, list[Mutant]] = {}


def mutant(id: str, *, kills: Mapping[str, str], defect: str = "", answers: bool = True) -> Callable[[C], C]:
    """Registers a class as mutant `id`: a subclass of a reference channel, or of its driver.

    One defect may be seeded in several channels. See `Mutant` for the arguments; `defect` is for those that the
    catalogue does not have.

    Raises:
        UnknownRule: The catalogue has no such defect and none is described, or does not ask one of these rules to
            find it.
    """
    known, killers = defects().get(id, (defect, frozenset(kills)))
    if not known:
        raise UnknownRule(
            f"{id!r} is not in the catalogue of defects; say what is broken, in words, as `defect`"
        )
    if unknown := kills.keys() - killers:
        raise UnknownRule(f"{id!r} is not listed as killed by {sorted(unknown)}; rules.json says by whom")

    def register(broken: C) -> C:
        driver = broken if issubclass(broken, ChannelDriver) else _driver_of(broken)
        found = Mutant(id=id, kills=kills, driver=driver, defect=known, answers=answers)
        _mutants.setdefault(id, []).append(found)
        return broken

    return register


def mutants() -> list[Mutant]:
    """All mutants, in the order of the rules that they are made for."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    order = {id: number for number, id in enumerate(catalogue())}
    found = [mutant for same in _mutants.values() for mutant in same]
    return sorted(found, key=lambda mutant: min(order[rule] for rule in mutant.kills))


def _driver_of(broken: type[Any]) -> type[ChannelDriver]:
    fitting: list[Any] = [
        driver for driver in (*REFERENCES, *SPECIAL) if issubclass(broken, driver.channel_class)
    ]
    base = max(fitting, key=lambda driver: len(driver.channel_class.__mro__))  # with most of its own
    return type(base.__name__, (base,), {"channel_class": broken, "__module__": broken.__module__})
