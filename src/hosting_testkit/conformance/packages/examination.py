"""Imports a package in a Python of its own and tells what came of it; once per process for each package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from ..timecap import kit_waits

_SCRIPT = Path(__file__).with_name("examiner.py")
LONGEST = 120.0
"""Seconds that the other Python may take; only a package that never ends its import takes so long on any machine."""


class LoadedPoint(msgspec.Struct, frozen=True, kw_only=True):
    """An entry point, loaded.

    Args:
        error: Why it cannot be loaded; "" if it can.
        default_name: The default of the parameter `name`, or the attribute `name`; "" if there is neither.
    """

    error: str = ""
    default_name: str = ""


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What importing a package did.

    Args:
        error: Why it cannot be imported; "" if it can.
        refused: Import names that it asked for and may not have, having declared neither.
        effects: What happened beyond the import, in words.
        points: Its entry points, loaded, by group.
    """

    error: str = ""
    refused: Sequence[str] = ()
    effects: Sequence[str] = ()
    points: Mapping[str, LoadedPoint] = {}


class ExaminationFailed(RuntimeError):
    """The other Python did not answer."""


def examine(
    modules: Sequence[str],
    *,
    root: Path,
    path: Sequence[str] = (),
    forbidden: frozenset[str] = frozenset(),
    points: Mapping[str, str] | None = None,
    longest: float = LONGEST,
) -> Examination:
    """Imports `modules`, in order, where nothing else has been imported but `hosting`.

    Args:
        modules: What to import.
        root: Folder of the package; reads of the environment count if they come from there.
        path: Put in front of `sys.path`.
        forbidden: Top-level names that are not there.
        points: Entry points to load afterwards, with nothing forbidden, `module:attribute` by group.
        longest: Seconds that it may take.

    Raises:
        ExaminationFailed: The other Python broke or did not end in time.
    """
    asked = {
        "modules": modules,
        "root": str(root),
        "path": path,
        "forbidden": sorted(forbidden),
        "points": points or {},
    }
    found = _examined(msgspec.json.encode(asked), longest)
    if isinstance(found, str):
        raise ExaminationFailed(found)
    return found


@cache
def _examined(asked: bytes, longest: float) -> Examination | str:
    """What was seen, or why nothing was."""
    command = [sys.executable, "-I", "-B", str(_SCRIPT)]
    try:
        with kit_waits():
            done = subprocess.run(command, input=asked, capture_output=True, timeout=longest, check=False)
    except subprocess.TimeoutExpired:
        return f"importing the package did not end in {longest:g} s"
    if done.returncode:
        return f"Python ended with {done.returncode}: {done.stderr.decode(errors='replace')}"
    return msgspec.json.decode(done.stdout, type=Examination)
