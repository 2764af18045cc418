"""Keeps exceptions that nobody can catch with the item they come from, whatever hooks and filters are around it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


@contextmanager
def unraisable_noted(add: Callable[[str, str], None]) -> Generator[None]:
    """Calls `add` with each exception that Python can only print, such as one from a finalizer.

    A test runner would blame the item for it in words of its own. Whether a channel is quiet is for HC-OBS-004 to say.
    """

    def note(seen: UnraisableHookArgs) -> None:
        add("unraisable", f"{seen.exc_type.__name__}: {seen.exc_value}")

    before, sys.unraisablehook = sys.unraisablehook, note
    try:
        yield
    finally:
        sys.unraisablehook = before
