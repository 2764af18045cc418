"""One check of a store, and how it is run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .place import StorePlace

_PATIENCE = 120.0
"""Seconds after which a check is taken to hang."""


class StoreDefect(AssertionError):
    """A store does not do what `HostStateStore` promises."""


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """One promise of `HostStateStore`.

    Args:
        name: What the store does, in words joined by `_`.
        body: Tries it; raises where it is not so.
        durable: Whether it is about what survives.
        shared: Whether it needs two stores on one state.
        needs: Methods of the place that it calls.
    """

    name: str
    body: Callable[[StorePlace], Awaitable[None]]
    durable: bool = False
    shared: bool = False
    needs: tuple[str, ...] = ()

    def left_out(self, place: StorePlace) -> str | None:
        """Why it cannot be tried here, or None."""
        if self.durable and not place.store().durable:
            return "the store does not say that it is durable"
        if self.shared and not place.is_shared:
            return "the place says that one store at a time uses the state"
        missing = [name for name in self.needs if not place.can(name)]
        return f"the place has no {', '.join(missing)}" if missing else None

    def run(self, place: StorePlace) -> None:
        """Tries it in an event loop of its own.

        Raises:
            StoreDefect: The store does not keep the promise.
        """
        asyncio.run(self._bounded(place))

    async def _bounded(self, place: StorePlace) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.body(place)
        except StoreDefect:
            raise
        except TimeoutError as error:
            raise StoreDefect(f"{self.name}: found no end in time") from error
        except Exception as error:
            raise StoreDefect(
                f"{self.name}: found {type(error).__name__}({error}), expected no error"
            ) from error


def must_be(found: object, wanted: object, what: str) -> None:
    """Compares.

    Raises:
        StoreDefect: They differ.
    """
    if found != wanted:
        raise StoreDefect(f"{what}: found {_short(found)}, expected {_short(wanted)}")


def must(condition: object, what: str) -> None:
    """Says what is wrong unless `condition` holds.

    Raises:
        StoreDefect: It does not.
    """
    if not condition:
        raise StoreDefect(what)


async def must_raise(kind: type[Exception], work: Awaitable[object], what: str) -> Exception:
    """Awaits what has to fail, and returns its error.

    Raises:
        StoreDefect: It did not fail, or with another error.
    """
    try:
        result = await work
    except kind as error:
        return error
    except Exception as error:
        raise StoreDefect(
            f"{what}: found {type(error).__name__}({error}), expected {kind.__name__}"
        ) from error
    raise StoreDefect(f"{what}: found the answer {_short(result)}, expected {kind.__name__}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:200]} … {text[-60:]} ({len(text)} characters)"
