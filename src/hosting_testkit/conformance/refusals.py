"""A refusal as an attacker compares it: without what differs from request to request anyway."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ..drivers.wire import Wire

_OF_ONE_REQUEST = re.compile(r"(?=[A-Za-z0-9_-]*[0-9])[A-Za-z0-9_-]{12,}")
_NOT_COMPARED = frozenset({"date", "content-length"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Status, body and headers of an answer, ids of the request left out."""

    status: int
    body: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, wire: Wire) -> Self:
        """The refusal that `wire` is."""
        headers = {
            name: _bare(value) for name, value in sorted(wire.headers.items()) if name not in _NOT_COMPARED
        }
        return cls(wire.status, _bare(wire.body.decode(errors="replace")), headers)


def _bare(text: str) -> str:
    return _OF_ONE_REQUEST.sub("<id>", text)
