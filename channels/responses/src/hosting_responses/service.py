"""What routes and WebSockets share: from a body to a turn that is ready to run, and on to its events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

from agent_framework import Content

from hosting import (
    Caller,
    ChannelContext,
    HostedStreamResult,
    HostingError,
    TurnEnd,
    TurnInProgress,
    UnknownReference,
)

from .background import BackgroundResponses
from .codec import Event, Item, ParsedRequest, Referred, conversation_of, parse_create, references
from .codec.fields import optional_text
from .conversation_log import ConversationLog
from .errors import PreviousResponseNotFound
from .records import ResponseRecord, ResponseRecords
from .turn import Place, ResponseTurn

MINTED_CONVERSATION = "conv_"
"""How ids of conversations begin that were made here; any other string is a caller's own key."""


class ResponseService:
    """Creates responses for one channel.

    Args:
        name: The channel's name.
        context: The channel's way to the host.
        model: What the target is called in `model`; None takes the target's name.
        store_ttl: Seconds that a response is kept; None keeps it for good.
        goes_on: Whether a stored response goes on when its client has left.
    """

    def __init__(
        self,
        name: str,
        context: ChannelContext,
        *,
        model: str | None,
        store_ttl: float | None,
        goes_on: bool = False,
    ) -> None:
        self.name = name
        self.context = context
        self.model = model or context.target_info.name
        now = context.time_source.now()
        self.started_at = int(now)
        self.records = ResponseRecords(context.state(), store_ttl, host_lives=context.host_lives)
        self.conversations = ConversationLog(context.state(), context.time_source)
        self.background = BackgroundResponses(self)
        self._goes_on = goes_on

    async def prepare(
        self, body: Mapping[str, Any], caller: Caller, *, unstored: ResponseRecord | None = None
    ) -> ResponseTurn:
        """A turn for the body of a create request.

        Args:
            body: The JSON object.
            caller: Who asked; what it refers to must be its own.
            unstored: A response that only the caller's WebSocket knows (`store=false`).

        Raises:
            RequestError: The body is wrong, or refers to what the caller does not have.
            UnknownReference: There is no such conversation.
        """
        response_id = self.context.id_source.new("resp")
        parent = await self._parent(body, caller, unstored)
        if parent is not None and parent.plan is not None:
            raise TurnInProgress(
                "The response that this one continues is still in progress.", retry_after=1.0
            )
        conversation_id = conversation_of(body)
        known, waiting = True, list[tuple[str, Item]]()
        if conversation_id is not None:
            known = await self._conversation_is_known(conversation_id, caller)
            waiting = await self.conversations.waiting(caller.id, conversation_id)
        referred = await self._referred(body, caller, parent, conversation_id)
        request = parse_create(
            body, id_base=response_id, referred=referred, earlier=[item for _, item in waiting]
        )
        place = Place(
            caller=caller,
            parent_key=parent.parent_key if parent else None,
            conversation_id=conversation_id,
            new_conversation=not known,
            taken=[key for key, _ in waiting],
        )
        return self.turn(request, response_id, place)

    def outlives(self, turn: ResponseTurn) -> bool:
        """Whether the response goes on without its client: it can be retrieved later (contract 7.3)."""
        return turn.request.background or (self._goes_on and turn.request.store)

    def turn(
        self,
        request: ParsedRequest,
        response_id: str,
        place: Place,
        *,
        begun: Mapping[str, Any] | None = None,
    ) -> ResponseTurn:
        """A turn of this channel, new or begun before."""
        return ResponseTurn(
            request,
            response_id=response_id,
            model=self.model,
            place=place,
            records=self.records,
            conversations=self.conversations,
            clock=self.context.time_source,
            host=self.context.host_id,
            begun=begun,
        )

    async def run(self, turn: ResponseTurn, body: Any, *, delivery_id: str | None = None) -> ResponseRecord:
        """Runs a turn to its end.

        Raises:
            HostingError: It failed, or was refused.
        """
        request = turn.channel_request(self.name, delivery_id=delivery_id)
        try:
            result = await self.context.run(request, protocol_request=body, on_commit=turn.on_commit_answer)
        except UnknownReference:
            raise _about_parent(turn) from None
        record = await turn.answer(result)
        if not record.response["store"]:
            await self.forget_unstored(record)
        return record

    async def stream(
        self, turn: ResponseTurn, body: Any, *, delivery_id: str | None = None
    ) -> HostedStreamResult:
        """Starts a turn whose events are read from `turn.events`.

        Raises:
            HostingError: It was refused, or failed before its first update.
        """
        request = turn.channel_request(self.name, delivery_id=delivery_id)
        await turn.created()
        try:
            stream = await self.context.run_stream(
                request, protocol_request=body, on_commit=turn.on_commit_stream
            )
        except UnknownReference:
            await turn.discarded()
            raise _about_parent(turn) from None
        except HostingError:
            await turn.discarded()
            raise
        if (
            stream.response_id != turn.response_id
        ):  # the same Idempotency-Key gives the same response (contract 4.3)
            await turn.discarded()
        return stream

    async def events(
        self, turn: ResponseTurn, stream: HostedStreamResult
    ) -> AsyncGenerator[list[Event], None]:
        """The turn's events; afterwards, a session that nobody can name any more is gone."""
        first = stream.response_id == turn.response_id
        events = turn.events(stream) if first else self._repeated(turn, stream)
        try:
            async for portion in events:
                yield portion
        finally:
            await events.aclose()
        if turn.record is not None and not turn.record.response["store"]:
            await self.forget_unstored(turn.record)

    async def _repeated(
        self, turn: ResponseTurn, stream: HostedStreamResult
    ) -> AsyncGenerator[list[Event], None]:
        """The events of a response that an earlier request with the same key created."""
        caller = turn.place.caller
        try:
            record = await self.records.get(caller.id, stream.response_id)
            again = (
                self.turn(turn.request, stream.response_id, turn.place)
                if record is None
                else self.background.resumed(record, record.plan or {}, caller)
            )
            yield again.start()
            async for updates in stream.batches():
                yield again.feed(updates)
            result = await stream.result()
            end = TurnEnd(status=result.status, result=result)
            yield again.unstored_end(end) if record is None else again.finish(record.response)
        finally:
            await stream.aclose()

    async def forget(self, record: ResponseRecord) -> None:
        """Drops the session that only this response names; one that a hook chose, or a conversation's, stays."""
        isolation_key, key = record.session or (None, None)
        if isolation_key is not None and key == record.response["id"]:
            await self.context.forget_session(isolation_key, record.response["id"])

    async def forget_unstored(self, record: ResponseRecord) -> None:
        """As `forget`; where the store is away the host forgets it later, for the answer is worth more."""
        with suppress(HostingError):
            await self.forget(record)

    async def _parent(
        self, body: Mapping[str, Any], caller: Caller, unstored: ResponseRecord | None
    ) -> ResponseRecord | None:
        previous = optional_text(body, "previous_response_id")
        if previous is None:
            return None
        if unstored is not None and unstored.response["id"] == previous:
            return unstored
        record = await self.records.get(caller.id, previous)
        if record is None:
            raise PreviousResponseNotFound(previous)
        return record

    async def _conversation_is_known(self, conversation_id: str, caller: Caller) -> bool:
        if await self.conversations.get(caller.id, conversation_id) is not None:
            return True
        if conversation_id.startswith(MINTED_CONVERSATION):
            raise UnknownReference(
                f"Conversation with id '{conversation_id}' not found.", param="conversation"
            )
        return False

    async def _referred(
        self,
        body: Mapping[str, Any],
        caller: Caller,
        parent: ResponseRecord | None,
        conversation_id: str | None,
    ) -> Referred:
        item_ids, approval_ids = references(body.get("input"))
        found = {item_id: await self.records.find_item(caller.id, item_id) for item_id in item_ids}
        items = {item_id: item for item_id, item in found.items() if item is not None}
        if not approval_ids:
            return Referred(items=items)
        asked = parent.requests if parent else dict[str, Any]()
        if conversation_id is not None:
            kept = {
                key: await self.conversations.request(caller.id, conversation_id, key) for key in approval_ids
            }
            asked = {key: request for key, request in kept.items() if request is not None}
        approvals = {key: Content.from_dict(dict(asked[key])) for key in approval_ids if key in asked}
        return Referred(items=items, approvals=approvals)


def _about_parent(turn: ResponseTurn) -> HostingError:
    """The host knows no session of the response that is to be continued."""
    previous = turn.request.previous_response_id
    return (
        UnknownReference("There is no such session.")
        if previous is None
        else PreviousResponseNotFound(previous)
    )
