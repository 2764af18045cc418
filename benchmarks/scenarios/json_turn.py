"""A small turn, asked for and answered as JSON, through the Responses channel."""

from __future__ import annotations

from ..contest import Question, contest
from ..scale import Scale
from ..stats import Row

TITLE = "small JSON turn through the Responses channel"
TARGET = 0.6

QUESTION = Question("turn", ['{"model":"echo","input":"hello"}'], ['"completed"', '"hello"'])


def measure(scale: Scale) -> list[Row]:
    return [
        *contest(QUESTION, "uvicorn", "memory", scale, target=TARGET),
        *contest(QUESTION, "uvicorn", "sqlite", scale),
        *contest(QUESTION, "hypercorn", "memory", scale),
    ]
