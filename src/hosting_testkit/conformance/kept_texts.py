"""What a channel remembers in objects of its own: looks into memory, so it needs no name of an attribute."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, cast

_CONTAINERS = (dict, list, set, frozenset, tuple, deque)
_SHARED = ("hosting.messaging",)
"""Packages whose objects belong to whoever made them."""


def kept_texts(owner: object) -> list[str]:
    """Every text that `owner` holds in containers, in objects of its own package, or in class attributes of these.

    Objects of other packages are not entered: what the host, a client or a loop remembers is not the channel's.
    """
    held = (item for item in _held(owner) if isinstance(item, str | bytes))
    return [item.decode(errors="replace") if isinstance(item, bytes) else item for item in held]


def kept_things(owner: object) -> int:
    """How many things `owner` holds, as `kept_texts` looks for them; two places of one thing count as two."""
    return sum(1 for _ in _held(owner))


def _held(owner: object) -> Iterator[object]:
    packages = {_package(kind.__module__) for kind in _classes(owner)}
    seen: set[int] = set()
    waiting: list[object] = [owner, *(dict(vars(kind)) for kind in _classes(owner)), *_globals(packages)]
    while waiting:
        item = waiting.pop()
        yield item
        if not isinstance(item, str | bytes) and id(item) not in seen and _is_entered(item, packages):
            seen.add(id(item))
            waiting += _inside(item)


def _globals(packages: set[str]) -> list[object]:
    """What the modules of the packages keep under their own names."""
    return [dict(vars(module)) for name, module in list(sys.modules.items()) if _is_in(name, packages)]


def _classes(owner: object) -> Iterator[type[Any]]:
    return (kind for kind in type(owner).__mro__ if kind.__module__ not in sys.stdlib_module_names)


def _package(module: str) -> str:
    return module.rpartition(".")[0] or module


def _is_entered(item: object, packages: set[str]) -> bool:
    """A container, or an object of the owner's own package."""
    if isinstance(item, type):
        return False
    if isinstance(item, _CONTAINERS):
        return True
    return _is_in(type(item).__module__, (*packages, *_SHARED))


def _is_in(module: str, packages: Iterable[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in packages)


def _inside(item: object) -> list[object]:
    if isinstance(item, dict):  # the collector need not know of keys that are texts
        entries = cast(dict[object, object], item)
        return [*entries.keys(), *entries.values()]
    return gc.get_referents(item)
