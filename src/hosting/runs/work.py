"""A background run in the hands of this host (contract 12.3, 4.5)."""

from __future__ import annotations

from dataclasses import dataclass

from ..state.base import Statement
from ..state.signals import signal
from ..state.tables import events, runs
from ..state.tables.events import TakenEvent
from ..state.tables.runs import StoredRun
from .log import RunLogWriter, topic_of
from .request import KeptRequest


@dataclass(slots=True, eq=False)
class RunInWork:
    """One attempt at a run.

    Args:
        run: As it was stored when the attempt began.
        taken: Its place in the line of work.
        kept: What was asked for.
        log: Where its updates go.
    """

    run: StoredRun
    taken: TakenEvent
    kept: KeptRequest
    log: RunLogWriter

    def give_back(self) -> list[Statement]:
        """The statements that put it back in line, its attempt not counted (contract 1.7)."""
        return [
            runs.requeue_run(self.run.run_id, self.taken.fence),
            events.requeue_event(self.taken.seq, self.taken.fence),
        ]

    def end(self, finish: Statement) -> list[Statement]:
        """The statements of its end, for the turn's own unit: the rest of the log, the end, the work done."""
        return [
            *self.log.rest(),
            finish,
            events.end_event(self.taken.seq, self.taken.fence, "done"),
            signal(topic_of(self.run.run_id)),
        ]
