"""A target that shows whether its session was saved in the middle of a turn (contract 6.2, 7.5)."""

from __future__ import annotations

import asyncio
import re
from typing import Any, NamedTuple

from .agent import FakeAgent, Run, Updates

_ANSWER = re.compile(r"turn (\d+) after (\d+)\.")


class Balance(NamedTuple):
    """What an answer says: turns that began in its session, this one included, and turns that ended before it."""

    begun: int
    ended: int

    @classmethod
    def read(cls, text: str) -> Balance | None:
        """The last answer in `text`, or None."""
        found = _ANSWER.findall(text)
        return cls(*map(int, found[-1])) if found else None


class Balanced(FakeAgent):
    """Answers `turn N after M.`: N turns began in the session and M ended; M is N - 1 unless half a turn was saved.

    It gives up the loop between its updates.

    Attributes:
        tasks: The tasks that runs ran in, in order.
        inside: Runs that have begun and not ended.
    """

    STATE = "balanced"

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.tasks: list[asyncio.Task[Any] | None] = []
        self.inside = 0

    async def answer(self, run: Run) -> Updates:
        self.tasks.append(asyncio.current_task())
        self.inside += 1
        try:
            kept: dict[str, Any] = run.session.state if run.session else {}
            state: dict[str, int] = kept.setdefault(self.STATE, {"begun": 0, "ended": 0})
            state["begun"] += 1
            for piece in (f"turn {state['begun']} ", f"after {state['ended']}."):
                await asyncio.sleep(0)
                yield run.update(piece)
            state["ended"] += 1
        finally:
            self.inside -= 1
