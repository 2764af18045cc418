"""Takes garbage collection out of the picture, so that only what is closed on purpose is closed (contract 7.3)."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def no_garbage_collection() -> Generator[list[AsyncGenerator[Any, Any]]]:
    """Turns off the collector, and the loop's closing of asynchronous generators that nobody holds any more.

    Gives those generators; they are held until the block ends. Enter it inside a running loop.
    """
    abandoned: list[AsyncGenerator[Any, Any]] = []
    hooks = sys.get_asyncgen_hooks()
    enabled = gc.isenabled()
    gc.disable()
    sys.set_asyncgen_hooks(finalizer=abandoned.append)
    try:
        yield abandoned
    finally:
        sys.set_asyncgen_hooks(*hooks)
        if enabled:
            gc.enable()
