"""Tells the author's own lines from those of libraries, and how a line is written in a report."""

from __future__ import annotations

import asyncio
import inspect
import linecache
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import CodeType, FrameType

import hosting

_KIT = Path(__file__).parents[1]
_MODELS = tuple(str(Path(__file__).with_name(name)) for name in ("reference", "mutants", "eccentrics"))
_LIBRARIES = (
    *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    str(_KIT),
    str(Path(hosting.__file__).parent),
    "<",
)
_CALLBACK = asyncio.Handle._run.__code__  # who calls it is no part of the callback
_POSITION = "    "
"""Before each position in the text of a `DeadlockError`."""


class OwnLines:
    """What of a running program the author of a channel wrote.

    Args:
        driver: The class of the channel's driver; its package is the author's.
    """

    def __init__(self, driver: type) -> None:
        name = driver.__module__.partition(".")[0]
        top = sys.modules.get(name)  # a class need not come from a module, as in a notebook's own namespace
        file = inspect.getsourcefile(top) if top is not None and getattr(top, "__file__", None) else None
        if name == _KIT.name:
            self._own = _MODELS
        elif file is None:
            self._own = ()
        else:
            self._own = (str(Path(file).parent) if hasattr(top, "__path__") else file,)

    def closeness(self, file: str) -> int:
        """2 for a file of the channel's package, 1 for one that is of no library, 0 for the rest."""
        if file.startswith(self._own):
            return 2
        return 0 if file.startswith(_LIBRARIES) else 1

    def innermost(self, frame: FrameType) -> FrameType:
        """The innermost frame that is the author's; without such, the innermost of all."""
        return max(_stack(frame), key=lambda found: self.closeness(found.f_code.co_filename))

    def shown(self, code: CodeType, line: int) -> str:
        """`file:line in function: source`, with nothing of the machine's paths."""
        return self._line(code.co_filename, line, code.co_qualname)

    def standing(self, frame: FrameType) -> str:
        """The same of the line at which a frame stands."""
        return self.shown(frame.f_code, line_of(frame))

    def _line(self, file: str, line: int, function: str) -> str:
        source = linecache.getline(file, line).strip()
        return f"{self._short(Path(file))}:{line} in {function}" + (f": {source}" if source else "")

    def trace(self, frame: FrameType, limit: int = 6) -> list[str]:
        """Where a program stands, innermost line last."""
        frames = [found for found, _ in zip(_stack(frame), range(limit), strict=False)]
        return [self.standing(found) for found in reversed(frames)]

    def waiting(self, positions: Sequence[str]) -> list[str]:
        """Those of the positions of a suspended task that are the author's, as reports show them; innermost last.

        Args:
            positions: As `suspended_at` gives them.
        """
        places = [self._read(position) for position in positions]
        return [
            self._line(file, line, function)
            for file, line, function in places
            if self.closeness(file) and file != __file__
        ]

    def in_short(self, tasks: str) -> str:
        """The text of a `DeadlockError`, each task with the author's lines, and the innermost one of all."""
        kept: list[str] = []
        lines = tasks.splitlines()
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if not line.startswith(_POSITION):
                kept.append(line)
                continue
            file, number, function = self._read(line.strip())
            if self.closeness(file) or not following.startswith(_POSITION):
                kept.append(_POSITION + self._line(file, number, function))
        return "\n".join(kept)

    @staticmethod
    def _read(position: str) -> tuple[str, int, str]:
        place, _, function = position.partition(" in ")
        file, _, line = place.rpartition(":")
        return file, int(line), function

    def _short(self, path: Path) -> str:
        resolved = path.resolve()
        if resolved.is_relative_to(Path.cwd()):
            return resolved.relative_to(Path.cwd()).as_posix()
        for folder in map(Path, (*self._own, *_LIBRARIES[:-1])):
            if path.is_relative_to(folder) and path != folder:
                inside = folder.parent if folder.name not in ("site-packages", "dist-packages") else folder
                return path.relative_to(inside).as_posix()
        return "/".join(path.parts[-2:])


def line_of(frame: FrameType) -> int:
    """The line at which a frame stands, or has just left."""
    passed = [line for start, _, line in frame.f_code.co_lines() if line and start <= max(frame.f_lasti, 0)]
    return frame.f_lineno or (passed or [frame.f_code.co_firstlineno])[-1]  # none at some instructions


def _stack(frame: FrameType | None) -> Iterable[FrameType]:
    """`frame` and its callers inside the running callback of a loop, innermost first."""
    while frame is not None and frame.f_code is not _CALLBACK:
        yield frame
        frame = frame.f_back
