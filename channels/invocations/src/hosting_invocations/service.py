"""Starts, replays and cancels the invocations of one channel."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from hosting import (
    Caller,
    ChannelContext,
    ChannelRequest,
    HostedStreamResult,
    RequestError,
    TurnInProgress,
)
from hosting.web import KEEP_ALIVE

from .background import BackgroundInvocations
from .codec import Answer, ParsedInvocation, frame, replayed
from .errors import InvocationNotFound, StoredFailure
from .ids import AnswerIds
from .invocation import Invocation
from .records import InvocationRecord, InvocationRecords


class InvocationService:
    """What the routes call.

    Args:
        name: The channel's name.
        context: The channel's way to the host.
        store_ttl: Seconds that an invocation is kept; None for good.
    """

    def __init__(self, name: str, context: ChannelContext, *, store_ttl: float | None) -> None:
        self.name = name
        self.context = context
        self._records = InvocationRecords(
            context.state(),
            ttl=store_ttl,
            background_ttl=context.limits.background_ttl,
            host_lives=context.host_lives,
        )
        self.background = BackgroundInvocations(context, self._records)
        self._running: dict[tuple[str, str], str] = {}  # (owner, invocation id) -> response id

    async def run(self, ids: AnswerIds, caller: Caller, parsed: ParsedInvocation, native: Any) -> Answer:
        """Runs an invocation to its end, or answers with that of an earlier request of the same id.

        Raises:
            HostingError: It failed, or was refused.
        """
        invocation = self._begin(ids, caller)
        try:
            earlier = await self._earlier(invocation, ids)
            if earlier is not None:
                return _told(earlier)
            request = await invocation.request(self.name, parsed, replayable=ids.given)
            if ids.given:
                await invocation.created()
            return await self._answer(invocation, request, native)
        finally:
            self._end(invocation)

    async def stream(
        self, ids: AnswerIds, caller: Caller, parsed: ParsedInvocation, native: Any
    ) -> AsyncGenerator[bytes, None]:
        """The events of an invocation, as frames; what fails before the first one is raised here.

        Raises:
            HostingError: It failed, or was refused.
        """
        invocation = self._begin(ids, caller)
        try:
            earlier = await self._earlier(invocation, ids)
            if earlier is None:
                request = await invocation.request(self.name, parsed, replayable=ids.given)
                await invocation.created()
                return self._frames(invocation, await self._open(invocation, request, native))
        except BaseException:
            self._end(invocation)
            raise
        self._end(invocation)
        return await self.replay(caller, earlier)

    async def queue(
        self, ids: AnswerIds, caller: Caller, parsed: ParsedInvocation, native: Any
    ) -> InvocationRecord:
        """Stores a background invocation, and gives it as it stands now; the same id gives the same invocation.

        Raises:
            HostingError: It was refused.
        """
        self._check_free(ids, caller)
        invocation = self._invocation(ids, caller)
        record = await self._earlier(invocation, ids)
        if record is None:
            request = await invocation.request(self.name, parsed, replayable=True)
            await self.background.begin(request, invocation.queued(), native)
            record = await self.get(caller, ids.invocation)
        ids.session = record.answer["session_id"]
        if record.run is None:
            _told(record)
        return record

    async def answer_of(self, caller: Caller, record: InvocationRecord) -> Answer:
        """The answer of a background invocation, once it has ended.

        Raises:
            HostingError: It failed, or is no longer kept; or this host stops before its end.
        """
        return _told(await self.background.ended(caller, record))

    async def replay(self, caller: Caller, record: InvocationRecord) -> AsyncGenerator[bytes, None]:
        """The events of a stored invocation; those of one in the background go on as they come.

        Raises:
            HostingError: It failed, or is no longer kept.
        """
        if record.run is not None:
            return await self.background.frames(caller, record)
        return _replayed(_told(record))

    async def resume(self, caller: Caller, invocation_id: str, *, after: int) -> AsyncGenerator[bytes, None]:
        """The events of a background invocation numbered above `after` (contract 12.2).

        Raises:
            InvocationNotFound: This caller has none of that id.
            RequestError: It is not one of the background.
        """
        record = await self.get(caller, invocation_id)
        if record.run is None:
            raise RequestError(
                "Only background invocations can be streamed again; retrieve this one without 'stream'.",
                param="stream",
            )
        return await self.background.frames(caller, record, after=after)

    async def get(self, caller: Caller, invocation_id: str) -> InvocationRecord:
        """The invocation as it is now.

        Raises:
            InvocationNotFound: This caller has none of that id.
        """
        record = await self._records.get(caller.id, invocation_id)
        current = None if record is None else await self.background.current(caller, record)
        if current is None:
            raise InvocationNotFound
        return current

    async def cancel(self, caller: Caller, invocation_id: str) -> InvocationRecord:
        """Cancels the invocation if it runs, and gives its state; one that has ended stays as it is.

        Raises:
            InvocationNotFound: This caller has none of that id.
        """
        response_id = self._running.get((caller.id, invocation_id))
        if response_id is not None:
            await self.context.cancel(response_id)
            return await self.get(caller, invocation_id)
        record = await self.get(caller, invocation_id)
        if record.host is not None and record.response_id is not None and not record.ended:
            await self.context.cancel(record.response_id, host_id=record.host)
        else:
            await self.background.cancel(caller, record)
        return await self.get(caller, invocation_id)

    def _begin(self, ids: AnswerIds, caller: Caller) -> Invocation:
        """Takes the id, so that a second request with it cannot touch the first one's record."""
        self._check_free(ids, caller)
        invocation = self._invocation(ids, caller)
        self._running[caller.id, ids.invocation] = invocation.response_id
        return invocation

    def _check_free(self, ids: AnswerIds, caller: Caller) -> None:
        if (caller.id, ids.invocation) in self._running:
            raise TurnInProgress(
                "The first request with this invocation id is still in progress.", retry_after=1
            )

    def _invocation(self, ids: AnswerIds, caller: Caller) -> Invocation:
        return Invocation(
            ids.invocation, ids.session or "", caller=caller, context=self.context, records=self._records
        )

    def _end(self, invocation: Invocation) -> None:
        del self._running[invocation.owner, invocation.id]

    async def _earlier(self, invocation: Invocation, ids: AnswerIds) -> InvocationRecord | None:
        """The record of an earlier request with this id; in the foreground, one under way is the host's to judge."""
        record = await invocation.earlier() if ids.given else None
        if record is not None and record.run is not None:
            record = await self.background.current(invocation.caller, record)
        if record is None or not (record.ended or record.run):
            return None
        ids.session = record.answer["session_id"]
        return record

    async def _answer(self, invocation: Invocation, request: ChannelRequest, native: Any) -> Answer:
        try:
            result = await self.context.run(
                request, protocol_request=native, on_commit=invocation.on_commit_answer
            )
        except Exception:
            await invocation.refused()
            raise
        return await invocation.answer(result)

    async def _open(self, invocation: Invocation, request: ChannelRequest, native: Any) -> HostedStreamResult:
        try:
            return await self.context.run_stream(
                request, protocol_request=native, on_commit=invocation.on_commit_stream
            )
        except Exception:
            await invocation.refused()
            raise

    async def _frames(
        self, invocation: Invocation, stream: HostedStreamResult
    ) -> AsyncGenerator[bytes, None]:
        events = invocation.events(stream)
        try:
            async for portion in events:
                yield frame(portion) if portion else KEEP_ALIVE
        finally:
            await events.aclose()
            await stream.aclose()
            self._end(invocation)


async def _replayed(answer: Answer) -> AsyncGenerator[bytes, None]:
    yield frame(replayed(answer))


def _told(earlier: InvocationRecord) -> Answer:
    """What an earlier request of the same id was answered.

    Raises:
        TurnInProgress: It has not ended.
        StoredFailure: It failed.
    """
    if not earlier.ended:
        raise TurnInProgress(
            "The first request with this invocation id runs in the background.", retry_after=1
        )
    if earlier.http_status != 200:
        raise StoredFailure(earlier.answer["error"], earlier.http_status)
    return earlier.answer
