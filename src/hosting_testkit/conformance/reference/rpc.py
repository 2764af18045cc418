"""A request-response channel: JSON in, JSON or server-sent events out.

`POST` at the exact path and at its `/v1` form: `{"input": "…", "session": "…", "stream": true}`, and optional `after` (the
id of an earlier answer to continue), `options`, `state`, `files`, `answers` (`{"request id": true}`) and `hosting`. The
answer is `{"id", "status", "items": ["…"], "files", "requests", "state"}`. Events: `delta` `{"id", "n", "item", "text"}`
any number of times, then one of `done` (the answer) and `error`. `POST /{id}/cancel` cancels. Each step is a method of its
own, so that a mutant can break one of them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Literal, Unpack

import msgspec
from agent_framework import Content, Message
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route

from hosting import (
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    ChannelSession,
    HostedRunResult,
    HostedStreamResult,
    HostingError,
    RequestError,
    UnknownReference,
    as_response,
)
from hosting.messaging import StreamedItems, text_items
from hosting.web import (
    Auth,
    JsonAnswer,
    StreamingAnswer,
    cancel_on_disconnect,
    read_json_object,
    resolve_auth,
    sse_event,
)

from . import rpc_body
from .options import CommonOptions, keep_common
from .rpc_answers import RpcAnswers
from .rpc_header import VersionHeader

_DAY = 24 * 3600.0
_MAX_BODY = 1024 * 1024


class RpcChannel:
    """The reference for channels that answer in the response.

    Args:
        auth: As in contract 17.2.
        name: The channel's name.
        path: Where it is mounted.
        common: See `CommonOptions`.
    """

    context: ChannelContext
    answers: RpcAnswers
    run_hook: Any
    response_hook: Any
    stream_update_hook: Any
    transport: Literal["http"] = "http"

    def __init__(
        self,
        *,
        auth: Auth = "loopback",
        name: str = "rpc",
        path: str = "/rpc",
        **common: Unpack[CommonOptions],
    ) -> None:
        self.name = name
        self.path = path
        self.gate = resolve_auth(auth, channel=name)
        keep_common(self, common)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """Its own routes, the same under `/v1`, a well-known document, and a header on every answer."""
        self.context = context
        self.answers = RpcAnswers(context)
        return ChannelContribution(
            routes=self.routes(), root_routes=self.root_routes(), middleware=[Middleware(VersionHeader)]
        )

    def routes(self) -> list[Route]:
        """The addresses of this channel."""
        return self.at("")

    def root_routes(self) -> list[Route]:
        """What clients ask for outside the channel's path (contract 1.4)."""
        base, _, last = self.path.rpartition("/")
        document = Route(f"/.well-known/{self.name}.json", self.document, methods=["GET"])
        return [document, *(self.at(f"{base}/v1/{last}") if last else [])]

    def at(self, prefix: str) -> list[Route]:
        """The channel's routes under `prefix`."""
        return [
            Route(prefix or "/", self.handle, methods=["POST"]),
            Route(f"{prefix}/{{id}}/cancel", self.cancel, methods=["POST"]),
        ]

    async def document(self, request: Request) -> JsonAnswer:
        """Where the channel is; for everybody."""
        return JsonAnswer(msgspec.json.encode({"name": self.name, "path": self.path}))

    async def cancel(self, request: Request) -> JsonAnswer:
        """Ends the run of an answer, or says how it ended."""
        caller = await self.authenticate(request)
        response_id: str = request.path_params["id"]
        status = await self.answers.cancel(caller.id, response_id)
        return JsonAnswer(msgspec.json.encode({"id": response_id, "status": status}))

    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        """One request: authenticate, read, parse, run, render."""
        caller = await self.authenticate(request)
        body = await self.read(request)
        turn = await self.with_answers(self.parse(body, caller, request.headers), body, caller)
        return await self.respond(request, turn, body)

    async def respond(
        self, request: Request, turn: ChannelRequest, body: Mapping[str, Any]
    ) -> JsonAnswer | StreamingAnswer:
        """One turn: its events, or its whole answer."""
        if turn.stream:
            return await self.answer_stream(turn, body)
        async with cancel_on_disconnect(request.receive):
            result = await self.run(turn, body)
        return JsonAnswer(msgspec.json.encode(self.render(result, self.items(result))))

    async def authenticate(self, request: Request) -> Caller:
        """Who asks."""
        return await self.gate(request)

    async def read(self, request: Request) -> dict[str, Any]:
        """The request body."""
        return await read_json_object(request, self.context.limits.body_limit(_MAX_BODY))

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        """The turn that a body asks for."""
        response_id = self.context.id_source.new("resp")
        files = rpc_body.files(body)
        said = self.input(body)
        after = rpc_body.typed(body, "after", str, "")
        follow_up = ChannelSession(key=response_id, parent_key=after, continue_for=_DAY)
        return ChannelRequest(
            channel=self.name,
            operation="ask",
            input=[Message("user", [said, *files])] if files else said,
            caller=caller,
            session=follow_up if after else self.session(body, caller),
            options=self.options(body),
            stream=rpc_body.typed(body, "stream", bool, False),
            delivery_id=headers.get("idempotency-key"),
            attributes=rpc_body.attributes(body),
            client_state=body.get("state"),
            response_id=response_id,
        )

    def input(self, body: Mapping[str, Any]) -> str:
        """The text; blank text alone is no turn (contract 3.5)."""
        text = rpc_body.typed(body, "input", str, "")
        if not text.strip() and not body.get("files") and not body.get("answers"):
            raise RequestError("The input is missing or blank.", param="input")
        if len(text) > rpc_body.INPUT_LIMIT:
            raise RequestError(f"The input is longer than {rpc_body.INPUT_LIMIT} characters.", param="input")
        return text

    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        """The session that the body names; it belongs to the caller."""
        key = rpc_body.typed(body, "session", str, "")
        return ChannelSession(key=key, continue_for=_DAY) if key else None

    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The allowed ones of the options asked for."""
        asked = rpc_body.typed(body, "options", dict, {})
        return {name: value for name, value in asked.items() if name in rpc_body.OPTIONS}

    async def with_answers(
        self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller
    ) -> ChannelRequest:
        """The turn with the caller's answers to open requests as its input (contract 6.8)."""
        given: list[Content] = []
        for request_id, approved in rpc_body.typed(body, "answers", dict, {}).items():
            answer = await self.answers.requests.answer(caller.id, request_id, approved=approved is True)
            if answer is None:
                raise UnknownReference("No such request is open.", param="answers")
            given.append(answer)
        return turn.replace(input=[Message("user", given)]) if given else turn

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        """One turn to its end."""
        try:
            return await self.context.run(turn, protocol_request=body, on_commit=self.answers.begin(turn))
        finally:
            self.answers.end(turn.response_id)

    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> StreamingAnswer:
        """One turn as events; what fails before its first update still gets a status."""
        return self.streamed(self.frames(await self.open(turn, body)))

    def streamed(self, frames: AsyncGenerator[bytes]) -> StreamingAnswer:
        """The answer that is made of `frames`."""
        limits = self.context.limits
        return StreamingAnswer(
            frames,
            write_timeout=limits.write_timeout,
            keepalive=limits.keepalive,
            logger=self.context.logger,
        )

    async def open(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedStreamResult:
        """The turn, begun."""
        try:
            begun = self.answers.begin(turn)
            return await self.context.run_stream(turn, protocol_request=body, on_commit=begun)
        except BaseException:
            self.answers.end(turn.response_id)
            raise

    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        """The events of one turn; the stream is closed whatever becomes of its reader."""
        items, numbers = StreamedItems(), self.numbers()
        try:
            async for update in stream:
                for item, text in items.add(update):
                    place = {"id": stream.response_id, "n": next(numbers), "item": item}
                    yield self.frame("delta", {**place, "text": text})
            result = await stream.result()
            yield self.done(result, items.texts)
        except HostingError as error:
            yield self.frame("error", {"code": error.code, "message": error.message})
        finally:
            await self.close(stream)

    def numbers(self) -> Iterator[int]:
        """The numbers of a stream's deltas."""
        return count()

    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        """The terminal event; it lists what was streamed."""
        return self.frame("done", self.render(result, items))

    async def close(self, stream: HostedStreamResult) -> None:
        """Abandons the turn if it still runs."""
        await stream.aclose()
        self.answers.end(stream.response_id)

    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        """What a one-shot answer says."""
        return text_items(as_response(result.result))

    def render(self, result: HostedRunResult[Any], items: Sequence[str]) -> dict[str, Any]:
        """The answer object."""
        answer: dict[str, Any] = {"id": result.response_id, "status": result.status, "items": list(items)}
        more = {
            "files": rpc_body.shown_files(as_response(result.result)),
            "requests": [str(request.id) for request in result.requests],
            "state": result.client_state,
        }
        return {**answer, **{name: value for name, value in more.items() if value}}

    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        """One event on the wire."""
        return sse_event(msgspec.json.encode(data), event=event)
