"""Responses that go on without their caller: begun here, run by any host, read by anybody who may (contract 12)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_framework import AgentResponseUpdate

from hosting import Caller, ChannelRequest, StateWrite, TurnEnd, UnknownReference

from .codec import Event, ParsedRequest
from .records import ResponseRecord
from .turn import Place, ResponseTurn

if TYPE_CHECKING:
    from .service import ResponseService

_UNDER_WAY = {"running": "in_progress"}


class GoesOnElsewhere(Exception):
    """This host stops, and the response does not: its events can be read on from another host."""


class BackgroundResponses:
    """Background responses of one channel. The id of a response is the token of its run.

    Args:
        service: Creates and stores responses.
    """

    def __init__(self, service: ResponseService) -> None:
        self._service = service
        self._context = service.context
        self._records = service.records

    async def begin(self, turn: ResponseTurn, body: Any, *, delivery_id: str | None = None) -> ResponseRecord:
        """Stores a turn to be run, and returns its record; the same `Idempotency-Key` gives the same response.

        Raises:
            HostingError: It was refused.
        """
        request = turn.channel_request(self._service.name, delivery_id=delivery_id)
        token = await self._context.run_in_background(request, protocol_request=body, writes=[turn.queued()])
        record = await self.record(turn.place.caller, token.token)
        if record is None:
            raise UnknownReference("The response that this Idempotency-Key created is no longer stored.")
        return record

    async def ended(self, record: ResponseRecord, caller: Caller) -> ResponseRecord:
        """The record once the response has ended; the caller waits for it, and the response does not depend on that.

        Raises:
            HostingError: It failed; or this host stops, and the response goes on elsewhere.
        """
        response_id: str = record.response["id"]
        if record.plan is not None:
            run = await self._context.wait_for_run(response_id, caller=caller)
            if run.error is not None:
                raise run.error
        ended = await self.record(caller, response_id)
        if ended is None:
            raise UnknownReference("The response was deleted.")
        return ended

    async def record(self, caller: Caller, response_id: str) -> ResponseRecord | None:
        """A stored response as it stands now."""
        record = await self._records.get(caller.id, response_id)
        if record is None or record.plan is None:
            return record
        try:
            run = await self._context.get_continuation(response_id, caller=caller)
        except UnknownReference:
            return record.cut_off()
        if run.ended:  # its end and its record are one transaction
            ended = await self._records.get(caller.id, response_id)
            return record.cut_off() if ended is not None and ended.plan is not None else ended
        status = _UNDER_WAY.get(run.status, run.status)
        return replace(record, response={**record.response, "status": status})

    async def can_be_read(self, record: ResponseRecord, caller: Caller) -> bool:
        """Whether its events are there; the host keeps them for `limits.background_ttl` after its end."""
        if not record.logged:
            return False
        try:
            await self._context.get_continuation(record.response["id"], caller=caller)
        except UnknownReference:
            return False
        return True

    async def cancel(self, caller: Caller, response_id: str) -> None:
        """Cancels a response wherever it runs, and returns once it has ended."""
        await self._context.cancel_run(response_id, caller=caller)

    async def conclude(
        self, request: ChannelRequest, updates: Sequence[AgentResponseUpdate], end: TurnEnd
    ) -> Sequence[StateWrite]:
        """The records of the end of a run, on whatever host it ended; nothing for one that was deleted meanwhile."""
        caller, response_id = request.caller, request.response_id
        if caller is None or response_id is None:
            return ()
        record = await self._records.get(caller.id, response_id)
        if record is None or record.plan is None:
            return ()
        turn = self.resumed(record, record.plan, caller)
        turn.feed(updates)
        return turn.on_commit_stream(end)

    async def events(
        self, record: ResponseRecord, caller: Caller, *, after: int = -1
    ) -> AsyncGenerator[list[Event], None]:
        """The events numbered above `after`, in portions as they come; an empty portion marks silence.

        They are rendered from the log of the run, so every reader gets the same, whenever and wherever it reads.
        """
        response_id: str = record.response["id"]
        turn = self.resumed(record, record.plan or {}, caller)
        opening = _behind(after, turn.start())
        if opening:
            yield opening
        async with aclosing(await self._context.events(response_id, caller=caller)) as entries:
            async for entry in entries:
                events = _behind(after, turn.feed(entry.updates))
                if events or not entry.updates:
                    yield events
        ended = await self.record(caller, response_id)
        if ended is None:
            raise UnknownReference("The response was deleted.")
        if ended.plan is not None:  # this host stops; the reader goes on at another one, behind what it has
            raise GoesOnElsewhere
        ending = _behind(after, turn.finish(ended.response))
        if ending:
            yield ending

    def resumed(self, record: ResponseRecord, plan: Mapping[str, Any], caller: Caller) -> ResponseTurn:
        """The turn of a stored response, ready to render what its run said."""
        begun: dict[str, Any] = {
            **record.response,
            "status": "in_progress",
            "output": [],
            "usage": None,
            "error": None,
            "completed_at": None,
            "incomplete_details": None,
        }
        request = ParsedRequest(
            input_items=record.input,
            background=True,
            include=frozenset(plan.get("include", record.include)),
        )
        place = Place(
            caller=caller,
            parent_key=plan.get("parent_key"),
            conversation_id=plan.get("conversation_id"),
            new_conversation=plan.get("new_conversation", False),
            taken=plan.get("taken", ()),
        )
        return self._service.turn(request, record.response["id"], place, begun=begun)


def _behind(after: int, events: list[Event]) -> list[Event]:
    return [event for event in events if event["sequence_number"] > after]
