"""Identifiers as the host and its channels make them (contract 19.1)."""

from __future__ import annotations

import os
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
    """Ids of 192 random bits from the operating system (contract 12.1: unguessable)."""

    def new(self, prefix: str) -> str:
        return f"{prefix}_{os.urandom(24).hex()}"

    def token(self) -> str:
        return os.urandom(32).hex()
