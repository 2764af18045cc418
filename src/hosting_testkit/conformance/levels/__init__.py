"""The frozen lists of rules that releases are scored against (conformance-kit 4.15)."""

from .level import FrozenDiffers, Level, UnknownLevel, check_frozen, digest, levels, newest_for, read_level

__all__ = [
    "FrozenDiffers",
    "Level",
    "UnknownLevel",
    "check_frozen",
    "digest",
    "levels",
    "newest_for",
    "read_level",
]
