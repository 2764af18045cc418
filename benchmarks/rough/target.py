"""A target that answers, fails, or never ends, as the text asks."""

from __future__ import annotations

import asyncio

from hosting_testkit.targets.agent import FakeAgent, Run, Updates


class RoughAgent(FakeAgent):
    """`fail …` fails after a word, `hang …` says a word and waits to be cancelled; anything else is answered.

    Attributes:
        running: Runs that have begun and not ended.
    """

    def __init__(self) -> None:
        super().__init__(name="rough")
        self.running = 0

    async def answer(self, run: Run) -> Updates:
        self.running += 1
        try:
            yield run.update("a word ")
            match run.text.partition(" ")[0]:
                case "fail":
                    raise RuntimeError("the target fails, as it was asked")
                case "hang":
                    await asyncio.Event().wait()
                case _:
                    yield run.update(run.text)
        finally:
            self.running -= 1
