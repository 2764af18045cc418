"""The steps of a process that others can see, counted, and the one at which it kills itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from hosting.state import HostStateStore, Rows, Statement

Report = Callable[..., None]


class Steps:
    """Counts, and kills.

    Args:
        kill: `before` or `after`, and the number of the step, or a word of it; None: it lives.
        report: Told of the death right before it.

    Attributes:
        count: How many there were.
        sending: A delivery was taken and has not ended: whether it arrived will be unknown (contract 4.7).
        seen: A part of a reply was marked as shown, and its event has not ended (contract 4.5).
        claimed: A key was claimed, and its turn has not ended (contract 4.5).
    """

    def __init__(self, kill: tuple[str, int | str] | None, report: Report) -> None:
        self._kill = kill
        self._report = report
        self.count = 0
        self._under_way: dict[int, Sequence[str]] = {}
        self.sending = self.seen = self.claimed = False

    def begin(self, what: str) -> int:
        """A step is about to be done; its number."""
        self.count += 1
        self._die("before", self.count, what)
        return self.count

    def end(self, number: int, what: str) -> None:
        """It was done; whoever asked for it has not learned it."""
        self._die("after", number, what)

    def go(self, number: int, unit: Sequence[Statement]) -> None:
        """A unit leaves; should the process die at another step now, nobody knows whether it was kept."""
        self._under_way[number] = [statement.name for statement in unit]

    def note(self, number: int, unit: Sequence[Statement], rows: Sequence[Rows]) -> None:
        """Looks at a unit that was kept."""
        del self._under_way[number]
        for statement, returned in zip(unit, rows, strict=True):
            match statement.name:
                case "outbox.take" if returned:
                    self.sending = True
                case "outbox.end" | "outbox.retry":
                    self.sending = False
                case "events.mark_seen":
                    self.seen = True
                case "events.end":
                    self.seen = False
                case "turns.begin" if returned:
                    self.claimed = True
                case "turns.finish" | "turns.forget":
                    self.claimed = False
                case _:
                    continue

    def _die(self, when: str, number: int, what: str) -> None:
        if self._kill is None or self._kill[0] != when:
            return
        where = self._kill[1]
        if where == number or (isinstance(where, str) and where in what):
            self._report(
                dying=f"{when} {what}",
                sending=self.sending,
                seen=self.seen,
                claimed=self.claimed,
                under_way=[name for names in self._under_way.values() for name in names],
            )
            os.kill(os.getpid(), signal.SIGKILL)


def count_units(store: HostStateStore, steps: Steps) -> HostStateStore:
    """`store`, whose units are steps from now on; the lease's own connection is not."""
    execute = store.execute

    async def counted(*unit: Statement) -> list[Rows]:
        what = "unit " + ", ".join(statement.name for statement in unit)
        number = steps.begin(what)
        steps.go(number, unit)
        try:
            rows = await execute(*unit)
        except BaseException:
            steps.note(number, (), ())
            raise
        steps.note(number, unit, rows)
        steps.end(number, what)
        return rows

    changed: Any = store
    changed.execute = counted
    return store


class CountedSends(httpx.AsyncBaseTransport):
    """Calls to the platform are steps: before they leave, and after they were answered.

    Args:
        inner: The way there.
        steps: Counts.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, steps: Steps) -> None:
        self._inner = inner
        self._steps = steps

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = f"call {request.url.path.rpartition('/')[2]}"
        number = self._steps.begin(what)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self._steps.end(number, what)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()
