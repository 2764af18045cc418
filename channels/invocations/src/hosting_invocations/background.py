"""Invocations that go on without their caller: stored here, run by any host, read by their caller anywhere (contract 12).

An invocation is named by its id, which may be the caller's own choice; its record holds the host's token, which is not.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from typing import Any

from agent_framework import AgentResponseUpdate

from hosting import (
    Caller,
    ChannelContext,
    ChannelRequest,
    ContinuationToken,
    LoggedUpdates,
    StateWrite,
    TurnEnd,
    UnknownReference,
)
from hosting.web import KEEP_ALIVE

from .codec import AnswerEnd, AnswerFold, Event, ended, numbered_frame, terminal
from .conclusion import conclude
from .errors import InvocationNotFound, told
from .records import InvocationRecord, InvocationRecords


class BackgroundInvocations:
    """The background invocations of one channel.

    Args:
        context: The channel's way to the host.
        records: Where invocations are stored.
    """

    def __init__(self, context: ChannelContext, records: InvocationRecords) -> None:
        self._context = context
        self._records = records

    async def begin(self, request: ChannelRequest, record: InvocationRecord, native: Any) -> None:
        """Stores an invocation to be run, unless one of the same id is stored already.

        Raises:
            HostingError: It was refused.
        """
        owner = request.caller.id if request.caller else ""
        writes = [self._records.write(owner, record)]
        await self._context.run_in_background(request, protocol_request=native, writes=writes)

    async def current(self, caller: Caller, record: InvocationRecord) -> InvocationRecord | None:
        """A stored invocation as it stands now; None if it is no longer kept."""
        if record.run is None or record.ended:
            return record
        try:
            run = await self._context.get_continuation(record.run, caller=caller)
        except UnknownReference:
            return None
        if not run.ended:
            status = "in_progress" if run.status == "running" else run.status
            return replace(record, answer={**record.answer, "status": status})
        # The end of a run and its record are one transaction: the record is there now, if it could be rendered.
        stored = await self._records.background(caller.id, record.answer["invocation_id"])
        return stored if stored is None or stored.ended else _unrecorded(stored, run)

    async def ended(self, caller: Caller, record: InvocationRecord) -> InvocationRecord:
        """A stored invocation once it has ended.

        Raises:
            InvocationNotFound: It is no longer kept.
            NotReady: This host stops before.
        """
        if record.run is not None and not record.ended:
            try:
                await self._context.wait_for_run(record.run, caller=caller)
            except UnknownReference:
                raise InvocationNotFound from None
        last = await self.current(caller, record)
        if last is None:
            raise InvocationNotFound
        return last

    async def cancel(self, caller: Caller, record: InvocationRecord) -> None:
        """Cancels the invocation wherever it runs, and returns once it has ended.

        Raises:
            InvocationNotFound: It is no longer kept.
        """
        if record.run is not None and not record.ended:
            try:
                await self._context.cancel_run(record.run, caller=caller)
            except UnknownReference:
                raise InvocationNotFound from None

    async def conclude(
        self, request: ChannelRequest, updates: Sequence[AgentResponseUpdate], end: TurnEnd
    ) -> Sequence[StateWrite]:
        """The records of the end of a run, on whatever host it ended."""
        caller, invocation_id = request.caller, request.delivery_id
        if caller is None or invocation_id is None:
            return ()
        stored = await self._records.background(caller.id, invocation_id)
        if stored is None:
            return ()
        fold = AnswerFold()
        fold.feed(updates)
        record = conclude(stored.answer, fold, end, run=stored.run)
        session_id: str = stored.answer["session_id"]
        open_requests = end.result.requests if end.result else ()
        return [
            self._records.write(caller.id, record),
            *self._records.write_requests(caller.id, session_id, open_requests),
        ]

    async def frames(
        self, caller: Caller, record: InvocationRecord, *, after: int = 0
    ) -> AsyncGenerator[bytes, None]:
        """The events numbered above `after` as they come, the same bytes for every reader.

        Raises:
            InvocationNotFound: It is no longer kept.
        """
        try:
            entries = await self._context.events(record.run or "", caller=caller)
        except UnknownReference:
            raise InvocationNotFound from None
        return self._rendered(entries, caller, record, after)

    async def _rendered(
        self, entries: AsyncIterator[LoggedUpdates], caller: Caller, record: InvocationRecord, after: int
    ) -> AsyncGenerator[bytes, None]:
        """Folds the whole log, for a later event depends on the earlier ones, and numbers what comes out.

        What is not told yet waits for more of it, never for a silence: that is not the same for two readers.
        """
        fold, numbers = AnswerFold(), count(1)

        def numbered(events: Sequence[Event]) -> bytes:
            named = [(next(numbers), event) for event in events]
            return numbered_frame(event for event in named if event[0] > after)

        yield KEEP_ALIVE  # lets the head of the answer go out, and with it the id, before the run says anything
        async with aclosing(_closable(entries)) as reading:
            async for entry in reading:
                frame = numbered(fold.feed(entry.updates))
                if frame or not entry.updates:
                    yield frame or KEEP_ALIVE
        last = await self.current(caller, record)
        if last is not None and last.ended:  # else this host stops: the reader goes on elsewhere, or later
            frame = numbered([*fold.flush(), terminal(last.answer)])
            if frame:
                yield frame


async def _closable(entries: AsyncIterator[LoggedUpdates]) -> AsyncGenerator[LoggedUpdates, None]:
    """`entries`, closed as soon as this is."""
    try:
        async for entry in entries:
            yield entry
    finally:
        close = getattr(entries, "aclose", None)
        if close is not None:
            await close()


def _unrecorded(record: InvocationRecord, run: ContinuationToken) -> InvocationRecord:
    """An invocation whose end could not be rendered; the host's word on it."""
    error = told(run.error) if run.status == "failed" else None
    return replace(record, answer=ended(record.answer, AnswerEnd(status=run.status, error=error)))
