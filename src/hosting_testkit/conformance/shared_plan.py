"""Rows that several processes share, and what is known of them: replies, calls, and where a process dies."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from hosting import InMemoryHostStateStore
from hosting.state import Rows, Statement, StateUnavailable

from ..crashes.kept import KeptOutcomes
from ..crashes.network import OutboundTransport
from ..crashes.plan import CrashPlan, Step, TakesOver
from ..crashes.process import Process


class SharedRows(InMemoryHostStateStore):
    """Rows that outlive each of their hosts; closed by their owner."""

    async def close(self) -> None:
        return

    async def discard(self) -> None:
        """Closes them."""
        await super().close()


class ToldOutcomes(KeptOutcomes):
    """`KeptOutcomes` that knows what each reply says.

    Attributes:
        said: The stored form of each reply, by its id.
    """

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, str] = {}

    def see(self, unit: Sequence[Statement], rows: Sequence[Rows]) -> None:
        """As `KeptOutcomes.see`."""
        super().see(unit, rows)
        self.said |= {one.params["id"]: one.params["payload"] for one in unit if one.name == "outbox.add"}

    def of(self, text: str) -> list[str | None]:
        """How the replies with a text ended."""
        return [self.deliveries[id] for id, said in self.said.items() if text in said]


class SharedPlan(CrashPlan):
    """A plan for several hosts on the same rows.

    Args:
        takes_over: As for `CrashPlan`.

    Attributes:
        told: What the rows say.
        called: Every call that left, with the process that made it and its path.
        cut_off: Processes that the store is out of reach for.
        strikes: The process that is about to do a step with this in its name dies instead, once; "": none does.
    """

    def __init__(self, takes_over: TakesOver) -> None:
        super().__init__(takes_over=takes_over)
        self.shared = self.rows = SharedRows()
        self.kept = self.told = ToldOutcomes()
        self.strikes = ""
        self.called: list[tuple[Process, str]] = []
        self.cut_off: set[Process] = set()

    def begin(self, process: Process, step: Step) -> int:
        """As `CrashPlan.begin`.

        Raises:
            StateUnavailable: The process is cut off.
        """
        if step.kind == "unit" and process in self.cut_off:
            raise StateUnavailable("the kit has cut this process off from the store")
        if self.strikes and self.strikes in step.what:
            self.strikes = ""
            process.kill()
        return super().begin(process, step)


class ToldTransport(OutboundTransport):
    """`OutboundTransport` that notes each call.

    Args:
        way: To the platform.
        plan: Where to note it.
        process: Who calls.
    """

    def __init__(self, way: httpx.AsyncBaseTransport, plan: SharedPlan, process: Process) -> None:
        super().__init__(way, plan, process)
        self._noted = (plan.called, process)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        called, process = self._noted
        called.append((process, request.url.path))
        return await super().handle_async_request(request)
