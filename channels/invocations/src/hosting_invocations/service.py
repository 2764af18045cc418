"""Starts, replays and cancels the invocations of one channel."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from hosting import Caller, ChannelContext, ChannelRequest, HostedStreamResult, TurnInProgress

from .codec import Answer, Event, ParsedInvocation, replayed
from .errors import InvocationNotFound, StoredFailure
from .ids import AnswerIds
from .invocation import Invocation
from .records import InvocationRecords


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
        self._records = InvocationRecords(context.state(), store_ttl)
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
                return earlier
            request = await invocation.request(self.name, parsed, replayable=ids.given)
            if ids.given:
                await invocation.created()
            return await self._answer(invocation, request, native)
        finally:
            self._end(invocation)

    async def stream(
        self, ids: AnswerIds, caller: Caller, parsed: ParsedInvocation, native: Any
    ) -> AsyncGenerator[list[Event], None]:
        """The events of an invocation, in portions; what fails before the first one is raised here.

        Raises:
            HostingError: It failed, or was refused.
        """
        invocation = self._begin(ids, caller)
        try:
            earlier = await self._earlier(invocation, ids)
            if earlier is not None:
                self._end(invocation)
                return _portion(earlier)
            request = await invocation.request(self.name, parsed, replayable=ids.given)
            await invocation.created()
            stream = await self._open(invocation, request, native)
        except BaseException:
            self._end(invocation)
            raise
        return self._events(invocation, stream)

    async def get(self, caller: Caller, invocation_id: str) -> Answer:
        """The invocation as it is now.

        Raises:
            InvocationNotFound: This caller has none of that id.
        """
        record = await self._records.get(caller.id, invocation_id)
        if record is None:
            raise InvocationNotFound("There is no invocation with this id.")
        return record.answer

    async def cancel(self, caller: Caller, invocation_id: str) -> Answer:
        """Cancels the invocation if it runs, and gives its state; one that has ended stays as it is.

        Raises:
            InvocationNotFound: This caller has none of that id.
        """
        response_id = self._running.get((caller.id, invocation_id))
        if response_id is not None:
            await self.context.cancel(response_id)
        return await self.get(caller, invocation_id)

    def _begin(self, ids: AnswerIds, caller: Caller) -> Invocation:
        """Takes the id, so that a second request with it cannot touch the first one's record."""
        if (caller.id, ids.invocation) in self._running:
            raise TurnInProgress(
                "The first request with this invocation id is still in progress.", retry_after=1
            )
        invocation = Invocation(
            ids.invocation, ids.session or "", caller=caller, context=self.context, records=self._records
        )
        self._running[caller.id, ids.invocation] = invocation.response_id
        return invocation

    def _end(self, invocation: Invocation) -> None:
        del self._running[invocation.owner, invocation.id]

    async def _earlier(self, invocation: Invocation, ids: AnswerIds) -> Answer | None:
        """The answer of an earlier request with this id; one that has not ended is the host's to judge."""
        if not ids.given:
            return None
        record = await invocation.earlier()
        if record is None or not record.ended:
            return None
        ids.session = record.answer["session_id"]
        if record.http_status != 200:
            raise StoredFailure(record.answer["error"], record.http_status)
        return record.answer

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

    async def _events(
        self, invocation: Invocation, stream: HostedStreamResult
    ) -> AsyncGenerator[list[Event], None]:
        events = invocation.events(stream)
        try:
            async for portion in events:
                yield portion
        finally:
            await events.aclose()
            await stream.aclose()
            self._end(invocation)


async def _portion(answer: Answer) -> AsyncGenerator[list[Event], None]:
    yield list(replayed(answer))
