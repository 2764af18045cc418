"""What host and channels log while an item runs: kept for the rules, kept away from the terminal."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

from .events import EventLog
from .records import written_at


class _Keep(logging.Handler):
    def __init__(self, kept: list[str], log: EventLog) -> None:
        super().__init__(logging.DEBUG)
        self._kept = kept
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self._kept.append(f"{record.levelname} {written_at(record.pathname, record.lineno)} {text}")
        if record.levelno >= logging.WARNING:
            self._log.add("log", " | ".join(dict.fromkeys((text.splitlines()[0], text.splitlines()[-1]))))


@contextmanager
def captured_logs(kept: list[str], log: EventLog, name: str = "hosting") -> Generator[None]:
    """Appends every record of the logger, with its place and its trace, to `kept`, and passes none on.

    Warnings and errors are also noted in the event log, in one line each.
    """
    logger, handler = logging.getLogger(name), _Keep(kept, log)
    propagate, level = logger.propagate, logger.level
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
        logger.setLevel(level)
