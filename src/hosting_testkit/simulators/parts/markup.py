"""The markup of the made-up platform: `*bold*`, `_italic_`, `` `code` ``, `\\` before a sign that is meant as itself."""

from __future__ import annotations

from dataclasses import dataclass

from .text_units import utf16_units

_STYLES = {"*": "bold", "_": "italic", "`": "code"}


class BadMarkup(ValueError):
    """A style was opened and not closed, or the text ends with a backslash."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A stretch of a text with a meaning.

    Args:
        type: `bold`, `italic`, `code`, `mention`, `command`.
        offset: Where it begins, in UTF-16 units.
        length: Its UTF-16 units.
        person: Whom a mention means: a person's id.
    """

    type: str
    offset: int
    length: int
    person: str | None = None


def parse_markup(markup: str) -> tuple[str, tuple[Entity, ...]]:
    """The text that people see, and its styles in the order in which they end; styles may nest, code holds none.

    Raises:
        BadMarkup: It says at which character.
    """
    reading = _Reading()
    position = 0
    while position < len(markup):
        sign = markup[position]
        if sign == "\\":
            position += 1
            if position == len(markup):
                raise BadMarkup(f"character {position - 1}: found a backslash, expected a sign after it")
            reading.plain(markup[position])
        elif reading.is_mark(sign):
            reading.mark(sign, position)
        else:
            reading.plain(sign)
        position += 1
    if reading.opened:
        sign, _, at = reading.opened[-1]
        raise BadMarkup(f"character {at}: found no end of {_STYLES[sign]}; close it or escape {sign!r}")
    return "".join(reading.text), tuple(entity for entity in reading.entities if entity.length)


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.opened: list[tuple[str, int, int]] = []
        self.entities: list[Entity] = []
        self._units = 0

    def is_mark(self, sign: str) -> bool:
        in_code = bool(self.opened) and self.opened[-1][0] == "`"
        return sign in _STYLES and (sign == "`" or not in_code)

    def plain(self, sign: str) -> None:
        self.text.append(sign)
        self._units += utf16_units(sign)

    def mark(self, sign: str, position: int) -> None:
        """Ends the style that was opened last, or opens another."""
        if self.opened and self.opened[-1][0] == sign:
            _, start, _ = self.opened.pop()
            self.entities.append(Entity(_STYLES[sign], start, self._units - start))
        else:
            self.opened.append((sign, self._units, position))
