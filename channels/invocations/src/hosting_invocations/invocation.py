"""One invocation between its request and its end: what it asks the host, what it stores, what it answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from hosting import (
    Caller,
    ChannelContext,
    ChannelRequest,
    ChannelSession,
    HostedRunResult,
    HostedStreamResult,
    HostingError,
    RunFailed,
    StateWrite,
    TurnEnd,
    as_response,
)

from .answers import with_requests
from .codec import (
    Answer,
    AnswerFold,
    Event,
    ParsedInvocation,
    new_answer,
    terminal,
)
from .conclusion import conclude
from .records import InvocationRecord, InvocationRecords

_TRY_AGAIN = frozenset({409, 429, 503})
"""Refusals that are not kept: the same request may succeed a moment later."""


class Invocation:
    """An invocation under way. Each update is rendered once, and the end once, just before the commit.

    Args:
        invocation_id: The id it answers under, unique to its caller.
        session_id: Its session.
        caller: Who asked.
        context: The channel's way to the host.
        records: Where invocations are stored.
    """

    def __init__(
        self,
        invocation_id: str,
        session_id: str,
        *,
        caller: Caller,
        context: ChannelContext,
        records: InvocationRecords,
    ) -> None:
        self.id = invocation_id
        self.session_id = session_id
        self.owner = caller.id
        self.response_id = context.id_source.new("resp")  # the host's own: invocation ids are the callers'
        self.record: InvocationRecord | None = None
        self.caller = caller
        self._context = context
        self._records = records
        self._base = new_answer(invocation_id, session_id)
        self._fold = AnswerFold()
        self._mine = True

    async def request(self, channel: str, parsed: ParsedInvocation, *, replayable: bool) -> ChannelRequest:
        """The turn as the host takes it.

        Raises:
            UnknownReference: It answers a request that its session never asked.
        """

        async def find(request_id: str) -> Any:
            return await self._records.request(self.owner, self.session_id, request_id)

        return ChannelRequest(
            channel=channel,
            operation="invoke",
            input=await with_requests(parsed.input, find),
            caller=self.caller,
            session=ChannelSession(key=self.session_id),
            options=parsed.options,
            stream=parsed.stream,
            background=parsed.background,
            delivery_id=self.id if replayable else None,
            metadata=parsed.metadata,
            attributes=parsed.attributes,
            response_id=self.response_id,
        )

    async def earlier(self) -> InvocationRecord | None:
        """The record of an earlier request with this id; it is not this one's to write before the host says so."""
        record = await self._records.get(self.owner, self.id)
        self._mine = record is None
        return record

    async def created(self) -> None:
        """Stores the invocation as it begins, so that it can be found whatever happens (contract 7.3)."""
        if self._mine:
            record = InvocationRecord(
                answer=self._base, host=self._context.host_id, response_id=self.response_id
            )
            await self._records.put(self.owner, record)

    def queued(self) -> InvocationRecord:
        """The record of the invocation as it begins in the background."""
        answer = new_answer(self.id, self.session_id, status="queued")
        return InvocationRecord(answer=answer, run=self.response_id)

    async def refused(self) -> None:
        """Takes the record of `created` back, unless the end was stored."""
        if self._mine and (self.record is None or self.record.http_status in _TRY_AGAIN):
            await self._records.delete(self.owner, self.id)

    def on_commit_answer(self, end: TurnEnd) -> Sequence[StateWrite]:
        """Renders a one-shot answer and the records of it."""
        self._read(end.result)
        return self.on_commit_stream(end)

    def on_commit_stream(self, end: TurnEnd) -> Sequence[StateWrite]:
        """The records of a streamed turn: what its events have said so far."""
        writes = self._concluded(end)
        return () if self._stored().http_status in _TRY_AGAIN else writes

    async def answer(self, result: HostedRunResult[Any]) -> Answer:
        """The answer of a one-shot turn; the host may have had the result from before (contract 4.3)."""
        if self.record is None:
            self._read(result)
            await self._conclude(TurnEnd(status=result.status, result=result))
        return self._stored().answer

    async def events(self, stream: HostedStreamResult) -> AsyncGenerator[list[Event], None]:
        """The events of a stream, in portions as they come; an empty portion marks silence.

        The terminal event is the last one, and comes after the commit (contract 4.1).
        """
        try:
            async for updates in stream.batches():
                events = self._fold.feed(updates) if updates else self._fold.flush()
                if events or not updates:
                    yield events
            result = await stream.result()
            end = TurnEnd(status=result.status, result=result)
        except HostingError as error:
            end = TurnEnd(status="failed", error=error)
        except Exception:
            failure = RunFailed(self._context.id_source.new("err"))
            self._context.logger.exception("An invocation could not be rendered (%s).", failure.error_id)
            end = TurnEnd(status="failed", error=failure)
        if self.record is None or end.status in (
            "failed",
            "cancelled",
        ):  # more may have been read since the commit
            await stream.aclose()
            await self._conclude(end)
        yield [*self._fold.flush(), terminal(self._stored().answer)]

    def _read(self, result: HostedRunResult[Any] | None) -> None:
        if result is not None and result.result is not None:
            for message in as_response(result.result).messages:
                self._fold.feed_message(message)

    async def _conclude(self, end: TurnEnd) -> None:
        """Stores the end where no commit did; the client is told whether or not that succeeds."""
        writes = self._concluded(end)
        try:
            await self._context.state().write(writes)
        except HostingError:
            self._context.logger.warning("The end of invocation %s could not be stored.", self.id)

    def _concluded(self, end: TurnEnd) -> Sequence[StateWrite]:
        """Sets `record` to how the invocation ended; the changes that store it."""
        self.record = conclude(self._base, self._fold, end)
        open_requests = end.result.requests if end.result else ()
        requests = self._records.write_requests(self.owner, self.session_id, open_requests)
        return [self._records.write(self.owner, self.record), *requests]

    def _stored(self) -> InvocationRecord:
        if self.record is None:
            raise RuntimeError("the invocation has not ended; expected its commit to have been rendered")
        return self.record
