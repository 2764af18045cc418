"""A target that proves which session it ran in, and that nothing leaked in from another (contract 6.2)."""

from __future__ import annotations

from typing import Any

from .agent import FakeAgent, Run, Updates


class Counting(FakeAgent):
    """Answers `turn N`, N counted in `session.state`; without a session always `turn 1`.

    Said `recall`, it answers `heard: a | b`, all that this session said before. Like a real context provider it
    changes the live session as soon as it runs, so a turn that failed or was cancelled, and was saved all the same,
    shows as a number that was skipped (`core-facts` 1.11).
    """

    RECALL = "recall"
    STATE = "counting"

    async def answer(self, run: Run) -> Updates:
        kept: dict[str, Any] = run.session.state if run.session else {}
        state = kept.setdefault(self.STATE, {"turns": 0, "heard": []})
        state["turns"] += 1
        if run.text == self.RECALL:
            yield run.update("heard: ", " | ".join(state["heard"]))
        else:
            state["heard"].append(run.text)
            yield run.update("turn ")
            yield run.update(str(state["turns"]))
