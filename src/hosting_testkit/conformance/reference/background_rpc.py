"""The RPC channel whose runs can go on without their callers.

With `"background": true` the answer comes at once, 202 and as it stands; `GET /{id}` is the answer as it stands now, and
`GET /{id}/events?after=3` its events behind number 3, those to come included. `on_disconnect="continue"` runs every
request this way, and the client waits for its answer as usual. An answer that failed has `error` `{"code", "message"}`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar

import msgspec
from agent_framework import AgentResponseUpdate
from starlette.requests import Request
from starlette.routing import Route

from hosting import (
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    HostedStreamResult,
    HostingError,
    LoggedUpdates,
    RequestError,
    StateWrite,
    TurnEnd,
    UnknownReference,
)
from hosting.messaging import StreamedItems
from hosting.web import KEEP_ALIVE, JsonAnswer, StreamingAnswer

from .kept_answers import Answer, KeptAnswers, begun, is_open
from .rpc import RpcChannel
from .rpc_body import typed


class BackgroundRpcChannel(RpcChannel):
    """The reference for channels with background runs. Options as for `RpcChannel`."""

    kept_class: ClassVar[type[KeptAnswers]] = KeptAnswers
    kept: KeptAnswers

    def __init__(self, *, name: str = "background", path: str = "/background", **options: Any) -> None:
        super().__init__(name=name, path=path, **options)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """As `RpcChannel`, with a record of every answer."""
        contribution = super().contribute(context)
        self.answers = self.kept = self.kept_class(context, self.conclude)
        return contribution

    def at(self, prefix: str) -> list[Route]:
        """The channel's routes under `prefix`."""
        return [
            *super().at(prefix),
            Route(f"{prefix}/{{id}}", self.retrieve, methods=["GET"]),
            Route(f"{prefix}/{{id}}/events", self.resume, methods=["GET"]),
        ]

    async def retrieve(self, request: Request) -> JsonAnswer:
        """An answer as it stands."""
        caller = await self.authenticate(request)
        return JsonAnswer(msgspec.json.encode(await self.kept.current(caller, request.path_params["id"])))

    async def resume(self, request: Request) -> StreamingAnswer:
        """The events of an answer behind a number."""
        caller = await self.authenticate(request)
        after = _number(request.query_params.get("after", "-1"))
        return self.streamed(await self.read_on(caller, request.path_params["id"], after))

    async def cancel(self, request: Request) -> JsonAnswer:
        """Ends the run of an answer, wherever it runs, or says how it ended."""
        caller = await self.authenticate(request)
        response_id: str = request.path_params["id"]
        answer = await self.kept.current(caller, response_id)
        if is_open(answer):
            await self.end_run(caller, response_id)
            answer = await self.kept.current(caller, response_id)
        return JsonAnswer(msgspec.json.encode(answer))

    async def end_run(self, caller: Caller, response_id: str) -> None:
        """Cancels a run, and returns once it has ended."""
        if await self.kept.in_background(caller, response_id):
            await self.context.cancel_run(response_id, caller=caller)
        else:
            await self.context.cancel(response_id)

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        """The turn that a body asks for."""
        known = {name: value for name, value in body.items() if name != "background"}
        return super().parse(known, caller, headers)

    async def respond(
        self, request: Request, turn: ChannelRequest, body: Mapping[str, Any]
    ) -> JsonAnswer | StreamingAnswer:
        """The answer as it stands, or once it has ended, or its events."""
        alone = typed(body, "background", bool, False)
        if not alone and not self.goes_on():
            return await super().respond(request, turn, body)
        caller = turn.caller or Caller("")
        answer = await self.begin(turn, body, caller)
        if turn.stream:
            return self.streamed(await self.read_on(caller, answer["id"]))
        if alone:
            return JsonAnswer(msgspec.json.encode(answer), status=202)
        return JsonAnswer(msgspec.json.encode(await self.ended(caller, answer["id"])))

    def goes_on(self) -> bool:
        """Whether a run goes on when its client has left."""
        return getattr(self, "on_disconnect", "cancel") == "continue"

    async def begin(self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller) -> Answer:
        """Stores a turn to be run by whoever comes to it; the same `Idempotency-Key` gives the same answer."""
        queued = self.kept.record(turn, begun(turn, "queued"))
        token = await self.context.run_in_background(turn, protocol_request=body, writes=[queued])
        return await self.kept.current(caller, token.token)

    async def ended(self, caller: Caller, response_id: str) -> Answer:
        """An answer once its run has ended, which does not depend on who waits for it."""
        run = await self.context.wait_for_run(response_id, caller=caller)
        if run.error is not None:
            raise run.error
        return await self.kept.current(caller, response_id)

    async def open(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedStreamResult:
        """The turn, begun, and kept from its beginning on."""
        await self.kept.created(turn)
        try:
            return await super().open(turn, body)
        except BaseException:
            await self.kept.refused(turn)
            raise

    def conclude(self, turn: ChannelRequest, end: TurnEnd, items: Sequence[str] = ()) -> Answer:
        """The answer of a turn that ended; `items` are those that were streamed."""
        result = end.result
        if result is not None and result.result is not None:
            return self.render(result, items if items and turn.stream else self.items(result))
        answer = {**begun(turn, end.status), "items": list(items)}
        return {**answer, "error": self.told(end.error)} if end.status == "failed" else answer

    def told(self, error: BaseException | None) -> dict[str, str]:
        """What is said of a failure."""
        if isinstance(error, HostingError):
            return {"code": error.code, "message": error.message}
        return {"code": "internal_error", "message": "The run failed."}

    async def conclude_run(
        self, request: ChannelRequest, updates: Sequence[AgentResponseUpdate], end: TurnEnd, /
    ) -> Sequence[StateWrite]:
        """The records of a background run's end, on whatever host it ended (contract 12.1)."""
        items = StreamedItems()
        for update in updates:
            for _ in items.add(update):
                pass
        answer = self.conclude(request, end, items.texts)
        asked = end.result.requests if end.result else ()
        return [
            self.kept.record(request, answer, ttl=self.kept_for(request)),
            *self.kept.requests.writes(request.caller.id if request.caller else "", asked),
        ]

    def kept_for(self, turn: ChannelRequest) -> float:
        """How many seconds the answer of a background run is kept once it has ended."""
        return self.context.limits.background_ttl

    async def read_on(self, caller: Caller, response_id: str, after: int = -1) -> AsyncGenerator[bytes]:
        """The events behind number `after`, those to come included (contract 12.2).

        Raises:
            UnknownReference: The caller has no answer of that id, or it has no events.
        """
        await self.kept.current(caller, response_id)
        try:
            entries = await self.context.events(response_id, caller=caller)
        except UnknownReference:
            raise UnknownReference("There is no answer with this id.", param="id") from None
        return self.logged(entries, caller, response_id, after)

    async def logged(
        self, entries: AsyncGenerator[LoggedUpdates], caller: Caller, response_id: str, after: int
    ) -> AsyncGenerator[bytes]:
        """Renders the log of a run from its start, and tells what is behind number `after`."""
        items, numbers = StreamedItems(), self.numbers()
        async with aclosing(entries):
            async for entry in entries:
                for item, text in [one for update in entry.updates for one in items.add(update)]:
                    number = next(numbers)
                    if number > after:
                        place = {"id": response_id, "n": number, "item": item}
                        yield self.frame("delta", {**place, "text": text})
                if not entry.updates:
                    yield KEEP_ALIVE
        answer = await self.kept.current(caller, response_id)
        if not is_open(answer):  # else this host stops, and the reader goes on elsewhere
            yield self.frame("done", answer)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise RequestError("'after' must be the number of an event.", param="after") from None
