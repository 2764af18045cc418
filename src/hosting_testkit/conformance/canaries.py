"""Searches everything that a channel lets out for secrets that it was given (conformance-kit 4.12.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

import httpx

from ..drivers.wire import Wire

_RECORD = re.compile(r"[A-Z]+ (\S+\.py:\d+) ")
_SHORTEST = 8  # a shorter one could stand anywhere by chance


def found_in(secrets: Mapping[str, str], places: Mapping[str, Iterable[str]]) -> list[str]:
    """Which secret stands where, as `name in place`, each once; of a log record with the line that wrote it.

    Args:
        secrets: The canaries, by name.
        places: Texts, by what they are.
    """
    found = (
        f"{name} in {place}{_written_at(text)}"
        for place, texts in places.items()
        for text in texts
        for name, secret in secrets.items()
        if _holds(text, secret)
    )
    return list(dict.fromkeys(found))


def answers(wires: Iterable[Wire]) -> Iterator[str]:
    """What callers and platforms are answered: headers, bodies and frames."""
    for wire in wires:
        yield str(dict(wire.headers))
        yield wire.body.decode(errors="replace")
        yield from (
            frame if isinstance(frame, str) else frame.decode(errors="replace") for frame in wire.frames
        )


def places_of(request: httpx.Request) -> Mapping[str, Iterable[str]]:
    """The parts of an outgoing request: its address, which is logged by default, and the rest, which is not."""
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    body = request.content.decode(errors="replace") if hasattr(request, "_content") else ""
    return {"address": [str(request.url)], "contents": [*headers, body]}


def _written_at(text: str) -> str:
    record = _RECORD.match(text)
    return f" ({record[1]})" if record else ""


def _holds(text: str, secret: str) -> bool:
    return len(secret) >= _SHORTEST and (secret in text or quote(secret, safe="") in text)
