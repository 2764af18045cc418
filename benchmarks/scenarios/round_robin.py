"""Many conversations in turn, each named by its conversation id; by hand, they are a dictionary."""

from __future__ import annotations

import json

from ..contest import Question, contest
from ..scale import Scale
from ..stats import Row

TITLE = "conversations in turn through the Responses channel"


def measure(scale: Scale) -> list[Row]:
    bodies = [
        json.dumps({"model": "echo", "input": "hello", "conversation": f"c{number}"})
        for number in range(scale.sessions)
    ]
    question = Question("turn", bodies, ['"completed"', '"hello"'])
    return [
        *contest(question, "uvicorn", "memory", scale),
        *contest(question, "uvicorn", "sqlite", scale),
    ]
