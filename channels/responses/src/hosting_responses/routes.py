"""The routes of responses: create, retrieve, cancel, delete, input items, compact, input tokens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from agent_framework import CharacterEstimatorTokenizer
from starlette.routing import Route

from hosting import Caller, RequestError, UnknownReference
from hosting.web import (
    KEEP_ALIVE,
    Gate,
    JsonAnswer,
    StreamingAnswer,
    cancel_on_disconnect,
    read_json_object,
)

from .background import GoesOnElsewhere
from .codec import DONE, Event, Item, encode, pack, parse_input, sse_frame, wire_usage
from .codec.fields import MissingParameter, UnsupportedParameter, optional_text
from .errors import PreviousResponseNotFound
from .paging import page_of
from .records import ResponseRecord

if TYPE_CHECKING:
    from starlette.requests import Request

    from hosting import HostedStreamResult

    from .service import ResponseService
    from .turn import ResponseTurn

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Files come inside the body (contract 16.1)."""

MAX_CHAIN = 1_000
"""Responses of one chain that `compact` walks back."""


class ResponseRoutes:
    """The endpoints of one channel, for its own path and for the `/v1` form.

    Args:
        service: Creates and stores responses.
        gate: Says who calls.
    """

    def __init__(self, service: ResponseService, gate: Gate) -> None:
        self._service = service
        self._records = service.records
        self._background = service.background
        self._context = service.context
        self._gate = gate

    def at(self, prefix: str) -> list[Route]:
        """The routes under `prefix`; fixed names before ids."""
        one = f"{prefix}/{{response_id}}"
        return [
            Route(prefix or "/", self.create, methods=["POST"]),
            Route(f"{prefix}/compact", self.compact, methods=["POST"]),
            Route(f"{prefix}/input_tokens", self.input_tokens, methods=["POST"]),
            Route(one, self.retrieve, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
            Route(f"{one}/input_items", self.input_items, methods=["GET"]),
        ]

    async def create(self, request: Request) -> JsonAnswer | StreamingAnswer:
        caller, body = await self._read(request)
        delivery_id = request.headers.get("idempotency-key")
        turn = await self._service.prepare(body, caller)
        if self._service.outlives(turn):
            record = await self._background.begin(turn, body, delivery_id=delivery_id)
            if turn.request.stream:
                return self._replaying(record, caller)
            if not turn.request.background:
                record = await self._background.ended(record, caller)
            return JsonAnswer(encode(record.response))
        if turn.request.stream:
            stream = await self._service.stream(turn, body, delivery_id=delivery_id)
            return self._streaming(turn, stream)
        async with cancel_on_disconnect(request.receive):
            record = await self._service.run(turn, body, delivery_id=delivery_id)
        return JsonAnswer(encode(record.response))

    async def retrieve(self, request: Request) -> JsonAnswer | StreamingAnswer:
        """The response, or, of a background response, its events again behind `starting_after` (contract 12.2)."""
        caller = await self._gate(request)
        record = await self._record(request, caller)
        if request.query_params.get("stream", "false").lower() in ("false", "0"):
            return JsonAnswer(encode(record.response))
        if not await self._background.can_be_read(record, caller):
            raise UnsupportedParameter(
                "Only background responses can be streamed again, while their events are kept; "
                "retrieve this one without 'stream'.",
                param="stream",
            )
        return self._replaying(record, caller, after=_starting_after(request))

    async def delete(self, request: Request) -> JsonAnswer:
        caller = await self._gate(request)
        record = await self._record(request, caller)
        response_id: str = record.response["id"]
        await self._end(record, caller)
        await self._service.forget(record)  # first: the delete may be sent again while the record is there
        await self._records.delete(caller.id, response_id)
        return JsonAnswer(encode({"id": response_id, "object": "response", "deleted": True}))

    async def cancel(self, request: Request) -> JsonAnswer:
        """Cancels a response under way; one that was cancelled before is answered the same again."""
        caller = await self._gate(request)
        record = await self._record(request, caller)
        if await self._end(record, caller):
            record = await self._record(request, caller)
        if record.response["status"] != "cancelled":
            raise RequestError("Cannot cancel a response that is not in progress.", param="response_id")
        return JsonAnswer(encode(record.response))

    async def input_items(self, request: Request) -> JsonAnswer:
        caller = await self._gate(request)
        record = await self._record(request, caller)
        return JsonAnswer(encode(page_of(record.input, request)))

    async def compact(self, request: Request) -> JsonAnswer:
        """Packs a conversation into one opaque item, without loss and without running the target."""
        caller, body = await self._read(request)
        if optional_text(body, "model") is None:
            raise MissingParameter("Missing required parameter: 'model'.", param="model")
        items = await self._chain(body, caller)
        now = int(self._context.time_source.now())
        new_id = self._context.id_source.new
        compaction = {"type": "compaction", "id": new_id("cmp"), "encrypted_content": pack(items)}
        answer = {
            "id": new_id("resp"),
            "object": "response.compaction",
            "created_at": now,
            "output": [compaction],
            "usage": wire_usage({"input_token_count": 0, "output_token_count": 0}),
        }
        return JsonAnswer(encode(answer))

    async def input_tokens(self, request: Request) -> JsonAnswer:
        """An estimate from the length of the texts; the target's own tokenizer is not known here."""
        caller, body = await self._read(request)
        items = await self._chain(body, caller)
        said = [
            encode(items).decode(),
            optional_text(body, "instructions") or "",
            encode(body.get("tools") or []).decode(),
        ]
        tokens = CharacterEstimatorTokenizer().count_tokens("".join(said))
        return JsonAnswer(encode({"object": "response.input_tokens", "input_tokens": tokens}))

    async def _read(self, request: Request) -> tuple[Caller, dict[str, Any]]:
        caller = await self._gate(request)
        return caller, await read_json_object(request, self._context.limits.body_limit(MAX_BODY_BYTES))

    async def _end(self, record: ResponseRecord, caller: Caller) -> bool:
        """Cancels a response that is under way; False if it is not."""
        response_id = record.response["id"]
        if record.plan is not None:
            await self._background.cancel(caller, response_id)
        elif record.response["status"] == "in_progress":
            await self._context.cancel(response_id, host_id=record.host)
        else:
            return False
        return True

    async def _record(self, request: Request, caller: Caller) -> ResponseRecord:
        response_id = request.path_params["response_id"]
        record = await self._background.record(caller, response_id)
        if record is None:
            raise UnknownReference("There is no response with this id.", param="response_id")
        return record

    async def _chain(self, body: Mapping[str, Any], caller: Caller) -> list[Item]:
        """The items of `input` behind those of the responses that `previous_response_id` goes back to."""
        previous = optional_text(body, "previous_response_id")
        own: list[Item] = []
        if body.get("input") is not None or previous is None:
            own, _ = parse_input(body.get("input"), id_base=self._context.id_source.new("in"))
        older: list[list[Item]] = []
        while previous is not None and len(older) < MAX_CHAIN:
            record = await self._records.get(caller.id, previous)
            if record is None:
                raise PreviousResponseNotFound(previous)
            older.append([*record.input, *record.response["output"]])
            previous = record.response["previous_response_id"]
        return [item for items in reversed(older) for item in items] + own

    def _streaming(self, turn: ResponseTurn, stream: HostedStreamResult) -> StreamingAnswer:
        return StreamingAnswer(
            _frames(self._service.events(turn, stream)),
            write_timeout=self._context.limits.write_timeout,
            logger=self._context.logger,
        )

    def _replaying(self, record: ResponseRecord, caller: Caller, *, after: int = -1) -> StreamingAnswer:
        """The run does not depend on its readers: one that leaves only stops reading (contract 7.3)."""
        limits = self._context.limits
        return StreamingAnswer(
            _frames(self._background.events(record, caller, after=after)),
            write_timeout=limits.write_timeout,
            logger=self._context.logger,
        )


async def _frames(portions: AsyncGenerator[list[Event], None]) -> AsyncGenerator[bytes, None]:
    """The events as frames; only a stream that came to its end says so."""
    try:
        async for events in portions:
            yield sse_frame(events) if events else KEEP_ALIVE
        yield DONE
    except GoesOnElsewhere:
        return
    finally:
        await portions.aclose()


def _starting_after(request: Request) -> int:
    given = request.query_params.get("starting_after", "-1")
    try:
        return int(given)
    except ValueError:
        raise RequestError(
            f"Invalid 'starting_after': found {given[:40]!r}, expected the sequence number of an event.",
            param="starting_after",
        ) from None
