"""Finds streams that were left open, or ended in a way that saves half an answer (contract 7.0, 7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from agent_framework import AgentResponse, AgentResponseUpdate, ResponseStream

from .agent import FakeAgent, Run, Updates
from .echo import Echo

StreamEnd = Literal["open", "exhausted", "failed", "closed", "closed bare"]


class WatchedStream(ResponseStream[AgentResponseUpdate, AgentResponse[Any]]):
    """A `ResponseStream` that remembers how it was used.

    Attributes:
        number: Which run of the agent this is, from 1.
        pulled: Updates handed out.
        end: `closed` with a reason, `closed bare` without one (also by `async with`), `failed` by the target's own
            error, `exhausted` if read to its end, or still `open`.
        reason: The exception given to `close`, or the target's own.
        running: The target's generator has begun and not ended.
        finalised_after_close: `get_final_response` was called on a stream closed before its end.
    """

    def __init__(self, agent: FakeAgent, run: Run) -> None:
        super().__init__(self._watch(agent, run), finalizer=agent.fold)
        self.number = run.number
        self.pulled = 0
        self.end: StreamEnd = "open"
        self.reason: BaseException | None = None
        self.running = False
        self.finalised_after_close = False

    async def _watch(self, agent: FakeAgent, run: Run) -> Updates:
        self.running = True
        answer = agent.answer(run)
        try:
            async for update in answer:
                self.pulled += 1
                yield update
        except Exception as error:
            self._ended("failed", error)
            raise
        else:
            self._ended("exhausted", None)
        finally:
            await answer.aclose()
            self.running = False

    def _ended(self, end: StreamEnd, reason: BaseException | None) -> None:
        if self.end == "open":
            self.end, self.reason = end, reason

    async def close(self, exc: BaseException | None = None) -> None:
        self._ended("closed bare" if exc is None else "closed", exc)
        await super().close(exc)

    async def get_final_response(self) -> AgentResponse[Any]:
        self.finalised_after_close |= self.end in ("closed", "closed bare")
        return await super().get_final_response()

    def fault(self) -> str | None:
        """What was done wrong with this stream, or None."""
        if self.end == "open" or self.running:
            return f"not closed after {self.pulled} updates; expected `await stream.close(exc)`"
        if self.end == "closed bare":
            return (
                f"closed bare after {self.pulled} updates, which finishes the turn and saves half a reply; "
                "expected `await stream.close(exc)`"
            )
        if self.finalised_after_close:
            return "finalised by `get_final_response()` after it was closed, which saves half a reply"
        return None


class Leak(FakeAgent):
    """Answers as `target` does, and watches every stream that is opened.

    Args:
        target: What answers; an `Echo` if left out.
        name: The agent's name and id.

    Attributes:
        streams: All streams so far, in order. They are held here, so that no garbage collection hides a leak.
    """

    def __init__(self, target: FakeAgent | None = None, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.target = target or Echo(piece=1)
        self.streams: list[WatchedStream] = []

    def answer(self, run: Run) -> Updates:
        return self.target.answer(run)

    def fold(self, updates: Sequence[AgentResponseUpdate]) -> AgentResponse[Any]:
        return self.target.fold(updates)

    def open(self, run: Run) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        stream = WatchedStream(self, run)
        self.streams.append(stream)
        return stream

    def assert_all_closed(self) -> None:
        """Every stream was read to its end, failed by itself, or was closed with a reason.

        Raises:
            AssertionError: Names each stream that was not, and what was done with it.
        """
        faults = [f"stream {stream.number}: {fault}" for stream in self.streams if (fault := stream.fault())]
        if faults:
            raise AssertionError(
                "\n".join([f"{len(faults)} of {len(self.streams)} streams (contract 7.0)", *faults])
            )
