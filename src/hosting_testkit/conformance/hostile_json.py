"""JSON bodies that break naive readers, made from one that a channel answers (contract 6.10, 14.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

_DEPTH = 100_000
_DIGITS = 5_000  # more than Python turns into an integer by default
_LONG_KEY = 100_000

Path = Sequence[str | int]


def refused_bodies(whole: bytes, texts: Mapping[str, str]) -> dict[str, bytes]:
    """Bodies that an API refuses, by what is wrong.

    Args:
        whole: A JSON object.
        texts: Strings in it, by what they are; those that are not in it are left out.
    """
    bodies = {
        "deep nesting": _with_member(whole, "deep", b"[" * _DEPTH + b"]" * _DEPTH),
        "a huge integer": _with_member(whole, "huge", b"9" * _DIGITS),
    }
    for place, text in texts.items():
        if text.encode() in whole:
            bodies[f"NUL in {place}"] = whole.replace(text.encode(), b"a\\u0000b")
            bodies[f"a lone surrogate in {place}"] = whole.replace(text.encode(), b"a\\ud800b")
    return bodies


def odd_bodies(whole: bytes) -> dict[str, bytes]:
    """Bodies that may be refused or answered, and must not break anything, by what is odd."""
    value = json.loads(whole)
    paths = list(_paths(value))
    return {
        "NaN": _with_member(whole, "nan", b"NaN"),
        "a very long key": _with_member(whole, "k" * _LONG_KEY, b"1"),
        "every key twice": whole[:-1] + b"," + whole[1:],
        "nulls everywhere": json.dumps(dict.fromkeys(value)).encode(),
        **{f"null at {'.'.join(map(str, path))}": _with_null(whole, path) for path in paths},
    }


def _with_member(whole: bytes, name: str, value: bytes) -> bytes:
    return b'{"' + name.encode() + b'":' + value + b"," + whole[1:]


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where values stand, the root left out."""
    members: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        members = list(cast("dict[str, Any]", value).items())
    elif isinstance(value, list):
        members = list(enumerate(cast("list[Any]", value)))
    for name, member in members:
        yield (*path, name)
        yield from _paths(member, (*path, name))


def _with_null(whole: bytes, path: Path) -> bytes:
    value = place = json.loads(whole)
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = None
    return json.dumps(value).encode()
