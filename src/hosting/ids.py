"""Identifiers as the host and its channels make them (contract 19.1)."""

from __future__ import annotations

import os
import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class IdSource(Protocol):
    """Where ids come from; tests inject one that counts."""

    def new(self, prefix: str) -> str:
        """A unique, unguessable id such as `resp_5f0c…`: the prefix, an underscore, URL-safe characters."""
        ...

    def token(self) -> str:
        """An unguessable URL-safe secret of at least 128 bits."""
        ...


class RandomIds:
    """Ids of 144 random bits from the operating system behind the time (contract 12.1: unguessable).

    The time makes ids that are new stand together in every index of the store: an insert then costs the same however
    much is stored. Random ids alone touch another page each.
    """

    def new(self, prefix: str) -> str:
        return f"{prefix}_{time.time_ns() // 1_000_000:012x}{os.urandom(18).hex()}"

    def token(self) -> str:
        return os.urandom(32).hex()
