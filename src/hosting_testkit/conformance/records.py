"""Everything that is logged, printed or warned of in a block, whichever logger it goes to."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

_STANDARD = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})
_NOT_OURS = ("asyncio", "hosting_testkit")


@dataclass(slots=True)
class Said:
    """What a block said beside its answers.

    Attributes:
        records: What was logged, in order.
        printed: What went to the standard streams.
        warnings: What was warned of: category, text and place.
    """

    records: list[logging.LogRecord] = field(default_factory=list[logging.LogRecord])
    printed: str = ""
    warnings: list[str] = field(default_factory=list[str])

    @property
    def lines(self) -> list[str]:
        """Each record as text: level, place, logger, message, extra fields and trace."""
        return [record_text(record) for record in self.records]

    def at_least(self, level: int) -> list[logging.LogRecord]:
        """The records of that level and above."""
        return [record for record in self.records if record.levelno >= level]


def written_at(path: str, line: int) -> str:
    """`folder/file.py:line`, with nothing more of the machine's paths."""
    return f"{'/'.join(Path(path).parts[-2:])}:{line}"


def record_text(record: logging.LogRecord) -> str:
    """All that a record tells, to whichever formatter, and where it was written."""
    extra = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
    trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
    place = written_at(record.pathname, record.lineno)
    return f"{record.levelname} {place} {record.name}: {record.getMessage()} {extra or ''} {trace}".strip()


@contextmanager
def everything_said() -> Generator[Said]:
    """Keeps what is logged at any level, printed and warned of inside the block; warnings are no errors there."""
    said, out = Said(), io.StringIO()
    handler = _Keep(said)
    root, ours = logging.getLogger(), logging.getLogger("hosting")
    loggers = [root] if ours.propagate else [root, ours]
    with ExitStack() as undo:
        undo.enter_context(redirect_stdout(out))
        undo.enter_context(redirect_stderr(out))
        caught = undo.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")
        undo.callback(root.setLevel, root.level)
        root.setLevel(logging.DEBUG)
        for logger in loggers:
            logger.addHandler(handler)
            undo.callback(logger.removeHandler, handler)
        yield said
        said.printed = out.getvalue()
        said.warnings = [
            f"{item.category.__name__}: {item.message} ({written_at(item.filename, item.lineno)})"
            for item in caught
        ]


class _Keep(logging.Handler):
    def __init__(self, said: Said) -> None:
        super().__init__(logging.DEBUG)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(_NOT_OURS):
            self._said.records.append(record)
