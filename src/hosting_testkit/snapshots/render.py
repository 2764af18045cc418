"""Events and frames as the text of a snapshot: pure functions, which keep order, count and linkage."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import is_dataclass
from typing import Any

import msgspec

from ..streams.normalise import normalise

_LINE_END = re.compile(r"\r\n|\n|\r")


def events(data: Iterable[Any]) -> str:
    """One line for each event: its JSON with sorted keys, after the class name if it is a dataclass.

    Raises:
        TypeError: An event has no JSON form.
    """
    given = list(data)
    plain = normalise([msgspec.to_builtins(event) for event in given])
    names = [f"{type(event).__name__} " if is_dataclass(event) else "" for event in given]
    return "".join(f"{name}{_json(event)}\n" for name, event in zip(names, plain, strict=True))


def sse(data: bytes | str | Iterable[bytes]) -> str:
    """The lines of the stream in their order; a data line that is JSON is normalised and its keys are sorted.

    How the body was cut into chunks and which line ends it has do not show; that its last frame lacks the blank line
    does.
    """
    if not isinstance(data, bytes | str):
        data = b"".join(data)
    text = data if isinstance(data, str) else data.decode(errors="backslashreplace")
    lines = [_Line(line) for line in _LINE_END.split(text)]
    values = normalise([line.value for line in lines])
    return "\n".join(line.render(value) for line, value in zip(lines, values, strict=True))


class _Line:
    """A line of a stream, split so that the normaliser sees `{field: value}` and the rest stays as sent."""

    def __init__(self, text: str) -> None:
        self.field, colon, rest = text.partition(":")
        space = " " if rest.startswith(" ") else ""
        self.separator = colon + space
        self.is_json, value = _parse(rest) if self.field == "data" else (False, rest.removeprefix(space))
        # Numbered frames keep their numbers: a gap in them must show.
        self.key = "number" if self.field == "id" and rest.strip().isdigit() else self.field
        self.value = {self.key: value}

    def render(self, value: dict[str, Any]) -> str:
        shown = value[self.key]
        return f"{self.field}{self.separator}{_json(shown) if self.is_json else shown}"


def _parse(text: str) -> tuple[bool, Any]:
    try:
        return True, json.loads(text)
    except ValueError:
        return False, text.removeprefix(" ")


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True)
