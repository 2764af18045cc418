"""What an eccentric is: a channel that is odd in one way and legal, so that no rule may fail it (conformance-kit 6.3)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ...drivers.base import ChannelDriver

C = TypeVar("C", bound=type[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Eccentric:
    """One odd channel.

    Args:
        id: In a few words with hyphens.
        oddity: What is odd, in words.
        driver: Drives it.
    """

    id: str
    oddity: str
    driver: type[ChannelDriver]


_found: dict[str, Eccentric] = {}


def eccentric(
    id: str, oddity: str, *, base: type[ChannelDriver] | None = None, **changes: Any
) -> Callable[[C], C]:
    """Registers a class as an eccentric: a driver, or with `base` a channel that this driver drives.

    Args:
        id: Its name.
        oddity: What is odd.
        base: The driver of the channel; left out for drivers.
        changes: Further class attributes of that driver, such as claims that differ.

    Raises:
        ValueError: There is one of this name.
    """

    def register(odd: C) -> C:
        if id in _found:
            raise ValueError(f"two eccentrics are named {id!r}; give one of them another name")
        attributes: Mapping[str, Any] = {"channel_class": odd, "__module__": odd.__module__, **changes}
        driver: Any = odd if base is None else type(base.__name__, (base,), dict(attributes))
        _found[id] = Eccentric(id=id, oddity=oddity, driver=driver)
        return odd

    return register


def eccentrics() -> list[Eccentric]:
    """All of them, in the order of their modules."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return list(_found.values())


def eccentric_table() -> str:
    """The list as Markdown."""
    lines = [
        "# Odd but legal channels",
        "",
        "Each one is a reference channel that differs from it in one way the contract allows. Every rule must pass on it or",
        "not apply: when an author reports a false failure, the case comes here first, and then the rule is repaired.",
        "Made by `python -m conformance.eccentrics`; a test compares it with the code and runs every row.",
        "",
        "| channel | what is odd | made of |",
        "|---|---|---|",
    ]
    lines += [f"| `{one.id}` | {one.oddity} | {one.driver.name} |" for one in eccentrics()]
    return "\n".join([*lines, ""])
