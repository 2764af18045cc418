"""Lengths as platforms count them, written apart from the host's own so that one mistake does not hide the other."""

from __future__ import annotations


def utf16_units(text: str) -> int:
    """UTF-16 units: 2 for each character beyond the basic plane, else 1."""
    return sum(2 if character > "\uffff" else 1 for character in text)


def utf16_slice(text: str, offset: int, length: int) -> str | None:
    """The part of `text` at those UTF-16 units; None if it ends outside or cuts a character in half."""
    units = text.encode("utf-16-le", "surrogatepass")
    if offset < 0 or length < 1 or 2 * (offset + length) > len(units):
        return None
    try:
        units[: 2 * offset].decode("utf-16-le")
        return units[2 * offset : 2 * (offset + length)].decode("utf-16-le")
    except UnicodeDecodeError:
        return None
