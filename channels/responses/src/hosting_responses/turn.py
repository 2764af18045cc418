"""One `responses.create` between its request and its end: what it asks the host, what it stores, what it answers."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate

from hosting import (
    Caller,
    ChannelRequest,
    ChannelSession,
    HostedRunResult,
    HostedStreamResult,
    HostingError,
    StateWrite,
    TimeSource,
    TurnEnd,
    as_response,
)

from .codec import Event, ParsedRequest, ResponseEnd, ResponseStreamBuilder, ended, new_response
from .conversation_log import ConversationLog
from .errors import response_error
from .records import ResponseRecord, ResponseRecords

_STATUS = {"input_required": "completed"}
_UNSTORED_FOR = 86_400.0
"""Seconds that an unstored response can be continued, on the connection that knows of it."""

_FOR_GOOD = 100 * 365 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a response stands: whose it is, what it continues.

    Args:
        caller: Who asked.
        parent_key: What its session forks from.
        conversation_id: The conversation it runs in.
        new_conversation: Whether that conversation begins with it.
        taken: Keys of waiting items that this turn takes along.
    """

    caller: Caller
    parent_key: str | None = None
    conversation_id: str | None = None
    new_conversation: bool = False
    taken: Sequence[str] = field(default_factory=tuple[str, ...])


class ResponseTurn:
    """A response under way. It renders each update once, and its end once, just before the commit.

    Args:
        request: What the caller asked for.
        response_id: The id it answers under.
        model: Named where the caller names none.
        place: Where it stands.
        records: Where responses are stored.
        conversations: Where conversations are.
        clock: For `created_at` and `completed_at`.
        host: Where it runs, if it runs in the foreground.
        begun: The response object as it began, of a response that began before.
    """

    def __init__(
        self,
        request: ParsedRequest,
        *,
        response_id: str,
        model: str,
        place: Place,
        records: ResponseRecords,
        conversations: ConversationLog,
        clock: TimeSource,
        host: str,
        begun: Mapping[str, Any] | None = None,
    ) -> None:
        self.request = request
        self.response_id = response_id
        self.place = place
        self.record: ResponseRecord | None = None
        self._records = records
        self._conversations = conversations
        self._clock = clock
        self._host = host
        self._base = (
            new_response(request, response_id=response_id, created_at=int(clock.now()), model=model)
            if begun is None
            else dict(begun)
        )
        encrypted = "reasoning.encrypted_content" in request.include
        self._builder = ResponseStreamBuilder(self._base, encrypted_reasoning=encrypted)
        self._closing: list[Event] = []

    def channel_request(self, channel: str, *, delivery_id: str | None) -> ChannelRequest:
        """The turn as the host takes it."""
        request, place = self.request, self.place
        attributes = {"hosting": request.hosting, "body": dict(request.unknown)}
        return ChannelRequest(
            channel=channel,
            operation="responses.create",
            input=list(request.messages),
            caller=place.caller,
            session=self._session(),
            options=request.options,
            client_tools=request.client_tools,
            stream=request.stream,
            delivery_id=delivery_id,
            metadata=request.metadata,
            attributes={name: value for name, value in attributes.items() if value},
            response_id=self.response_id,
        )

    def queued(self) -> StateWrite:
        """The record of a background response, for the transaction that stores its run."""
        place = self.place
        include = sorted(self.request.include)
        plan: dict[str, Any] = {
            "parent_key": place.parent_key,
            "conversation_id": place.conversation_id,
            "new_conversation": place.new_conversation,
            "taken": list(place.taken),
            "include": include,
        }
        record = ResponseRecord(
            response={**self._base, "status": "queued"},
            input=self.request.input_items,
            parent_key=self.response_id,
            plan=plan,
            include=include,
            logged=True,
            forked_from=place.parent_key,
        )
        return record.write(place.caller.id, self._records.ttl)

    async def created(self) -> None:
        """Stores the response as it begins, so that it can be retrieved whatever happens (contract 7.3)."""
        if self.request.store:
            record = ResponseRecord(
                response=self._base,
                input=self.request.input_items,
                parent_key=self.response_id,
                host=self._host,
                forked_from=self.place.parent_key,
            )
            await self._records.put(self.place.caller.id, record)

    async def discarded(self) -> None:
        """Takes the record of `created` back: the turn was refused before the client learned its id."""
        if self.request.store:
            await self._records.delete(self.place.caller.id, self.response_id)

    def on_commit_answer(self, end: TurnEnd) -> Sequence[StateWrite]:
        """Renders a one-shot answer and the records of it; a failed one is told by a status and leaves none."""
        if end.status == "failed":
            return ()
        return self._concluded(end, self._read_answer(end))

    def on_commit_stream(self, end: TurnEnd) -> Sequence[StateWrite]:
        """The records of a streamed turn. Of one that broke off, updates may still wait for their reader."""
        builder = self._builder
        if end.status in ("failed", "cancelled"):
            builder = copy.deepcopy(builder)
            builder.close(completed=False)
        else:
            self._closing = builder.close(completed=end.status != "incomplete")
        return self._concluded(end, builder)

    def feed(self, updates: Iterable[AgentResponseUpdate]) -> list[Event]:
        """The events of some updates."""
        return [event for update in updates for event in self._builder.feed(update)]

    def start(self) -> list[Event]:
        """The events that open every stream."""
        return self._builder.start()

    def finish(self, response: Mapping[str, Any]) -> list[Event]:
        """The events of the end, for the response object as it is stored."""
        whole = response["status"] not in ("incomplete", "failed", "cancelled")
        return [*self._builder.close(completed=whole), *self._builder.end(response)]

    def unstored_end(self, end: TurnEnd) -> list[Event]:
        """The events of the end of a response that is stored nowhere."""
        self.on_commit_stream(end)
        return [*self._closing, *self._builder.end(self._stored().response)]

    async def events(self, stream: HostedStreamResult) -> AsyncGenerator[list[Event], None]:
        """The events of a stream, in portions as they come; an empty portion marks silence.

        The terminal event is in the last portion, and comes after the commit (contract 4.1).
        """
        waiting = self._builder.start()
        try:
            async for updates in stream.batches():
                for update in updates:
                    waiting += self._builder.feed(update)
                if waiting or not updates:
                    yield waiting
                    waiting = []
            result = await stream.result()
            ending = await self._ending(TurnEnd(status=result.status, result=result))
            yield [*waiting, *ending]
        except HostingError as error:
            ending = await self._ending(TurnEnd(status="failed", error=error))
            yield [*waiting, *ending]
        finally:
            await stream.aclose()

    async def answer(self, result: HostedRunResult[Any]) -> ResponseRecord:
        """The record that answers a one-shot turn; a repeated `Idempotency-Key` gets the first turn's (contract 4.3)."""
        if self.record is not None:
            return self.record
        earlier = await self._records.get(self.place.caller.id, result.response_id)
        if earlier is None:
            self._base["id"] = result.response_id
            end = TurnEnd(status=result.status, result=result)
            self._concluded(end, self._read_answer(end))
        return earlier or self._stored()

    async def _ending(self, end: TurnEnd) -> list[Event]:
        if end.status in ("failed", "cancelled") or self.record is None:
            writes = self.on_commit_stream(end)
            self._closing = self._closing or self._builder.close(completed=False)
            if writes:
                # Where the store is away, the host stores the end of the turn when it is back.
                with suppress(HostingError):
                    await self._conversations.write(writes)
        return [*self._closing, *self._builder.end(self._stored().response)]

    def _stored(self) -> ResponseRecord:
        if self.record is None:
            raise RuntimeError("the turn has not ended; expected its commit to have been rendered")
        return self.record

    def _session(self) -> ChannelSession:
        if self.place.conversation_id is not None:
            return ChannelSession(key=self.place.conversation_id, continue_for=self._kept_for)
        return ChannelSession(
            key=self.response_id, parent_key=self.place.parent_key, continue_for=self._kept_for
        )

    @property
    def _kept_for(self) -> float:
        if not self.request.store:
            return _UNSTORED_FOR
        return _FOR_GOOD if self._records.ttl is None else self._records.ttl

    def _read_answer(self, end: TurnEnd) -> ResponseStreamBuilder:
        if end.result is not None and end.result.result is not None:
            for message in as_response(end.result.result).messages:
                self._builder.feed_message(message)
        self._builder.close(completed=end.status not in ("incomplete", "cancelled"))
        return self._builder

    def _concluded(self, end: TurnEnd, builder: ResponseStreamBuilder) -> Sequence[StateWrite]:
        """Sets `record` to how the response ended; the changes that store it."""
        answer = None if end.result is None else as_response(end.result.result)
        failure = end.error if isinstance(end.error, HostingError) else None
        response = ended(
            self._base,
            ResponseEnd(
                status=_STATUS.get(end.status, end.status),
                output=builder.output,
                usage=(answer and answer.usage_details) or builder.usage,
                completed_at=int(self._clock.now()),
                incomplete_reason=_incomplete_reason(answer),
                error=response_error(failure) if end.status == "failed" else None,
            ),
        )
        self.record = self._record(response, end)
        return self._writes(end.status in ("failed", "cancelled"))

    def _record(self, response: dict[str, Any], end: TurnEnd) -> ResponseRecord:
        result = end.result
        session = result.session if result else None
        broken = end.status in ("failed", "cancelled")
        requests = [
            item for item in (result.requests if result else ()) if item.type == "function_approval_request"
        ]
        return ResponseRecord(
            response=response,
            input=self.request.input_items,
            session=[session.isolation_key, session.key] if session else None,
            parent_key=self.place.parent_key
            if broken
            else result.response_id
            if result
            else self.response_id,
            requests={str(item.id): item.to_dict(exclude={"raw_representation"}) for item in requests},
            include=sorted(self.request.include) if self.request.background else (),
            logged=self.request.background,
        )

    def _writes(self, broken: bool) -> list[StateWrite]:
        record, owner, conversation_id = self._stored(), self.place.caller.id, self.place.conversation_id
        writes = [record.write(owner, self._records.ttl)] if self.request.store else []
        if conversation_id is None or broken:
            return writes
        log = self._conversations
        if self.place.new_conversation:
            writes.append(log.opening(owner, conversation_id, {}))
        items = [*self.request.input_items, *record.response["output"]]
        writes += log.additions(owner, conversation_id, items, wait=False)
        writes += log.requests(owner, conversation_id, record.requests)
        return [*writes, *(StateWrite(key, None) for key in self.place.taken)]


def _incomplete_reason(answer: AgentResponse[Any] | None) -> str:
    reason = answer.finish_reason if answer else None
    return "content_filter" if reason == "content_filter" else "max_output_tokens"
