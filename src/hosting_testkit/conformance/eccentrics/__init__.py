"""Odd but legal channels: none of them may fail a rule."""

from .model import Eccentric, eccentric, eccentric_table, eccentrics

__all__ = ["Eccentric", "eccentric", "eccentric_table", "eccentrics"]
