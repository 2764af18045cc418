"""The simplest target, also the one that benchmarks measure the host against."""

from __future__ import annotations

from .agent import FakeAgent, Run, Updates


class Echo(FakeAgent):
    """Answers the text that it was given, in pieces.

    Args:
        prefix: Stands before the text.
        piece: Length of a streamed piece in characters, at least 1.
        name: The agent's name and id.
    """

    def __init__(self, prefix: str = "", *, piece: int = 8, name: str | None = None) -> None:
        super().__init__(name=name)
        if piece < 1:
            raise ValueError(f"piece={piece}: expected at least one character in a piece")
        self.prefix = prefix
        self.piece = piece

    async def answer(self, run: Run) -> Updates:
        text = self.prefix + run.text
        for start in range(0, len(text), self.piece):
            yield run.update(text[start : start + self.piece])
