"""A streamed turn of 200 deltas, as server-sent events, through the Responses channel."""

from __future__ import annotations

import json

from ..contest import Question, contest
from ..scale import Scale
from ..stats import Row

TITLE = "SSE stream of 200 deltas through the Responses channel"
TARGET = 1.0
DELTAS = 200

_TEXT = "a word, " * DELTAS  # the target streams pieces of eight characters
QUESTION = Question(
    "stream",
    [json.dumps({"model": "echo", "input": _TEXT, "stream": True})],
    ["response.completed", "data: [DONE]\n\n"],
    DELTAS,
)


def measure(scale: Scale) -> list[Row]:
    return [
        *contest(QUESTION, "uvicorn", "memory", scale, target=TARGET),
        *contest(QUESTION, "uvicorn", "sqlite", scale),
        *contest(QUESTION, "hypercorn", "memory", scale),
    ]
