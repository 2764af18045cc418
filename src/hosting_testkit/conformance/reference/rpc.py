"""A request-response channel: JSON in, JSON or server-sent events out, on one path.

Request `{"input": "…", "session": "…", "stream": true, "options": {…}}`, answer `{"id", "status", "items": ["…"]}`.
Events: `delta` `{"item", "text"}` any number of times, then one of `done` (the answer) and `error`. Each step is a
method of its own, so that a mutant can break one of them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from hosting import (
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    ChannelResponseHook,
    ChannelRunHook,
    ChannelSession,
    ChannelStreamUpdateHook,
    HostedRunResult,
    HostedStreamResult,
    HostingError,
    RequestError,
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

_OPTIONS = frozenset({"temperature", "max_tokens"})
_MAX_BODY = 1024 * 1024


class RpcChannel:
    """The reference for channels that answer in the response.

    Args:
        auth: As in contract 17.2.
        name: The channel's name.
        path: Where it is mounted.
        run_hook: See `hosting.ChannelRunHook`.
        response_hook: See `hosting.ChannelResponseHook`.
        stream_update_hook: See `hosting.ChannelStreamUpdateHook`.
    """

    context: ChannelContext

    def __init__(
        self,
        *,
        auth: Auth = "loopback",
        name: str = "rpc",
        path: str = "/rpc",
        run_hook: ChannelRunHook | None = None,
        response_hook: ChannelResponseHook | None = None,
        stream_update_hook: ChannelStreamUpdateHook | None = None,
    ) -> None:
        self.name = name
        self.path = path
        self.run_hook = run_hook
        self.response_hook = response_hook
        self.stream_update_hook = stream_update_hook
        self.gate = resolve_auth(auth, channel=name)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """One route, at the exact path."""
        self.context = context
        return ChannelContribution(routes=self.routes())

    def routes(self) -> list[Route]:
        """The addresses of this channel."""
        return [Route("/", self.handle, methods=["POST"])]

    async def handle(self, request: Request) -> JsonAnswer | StreamingAnswer:
        """One request: authenticate, read, parse, run, render."""
        caller = await self.authenticate(request)
        body = await self.read(request)
        turn = self.parse(body, caller, request.headers)
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
        return ChannelRequest(
            channel=self.name,
            operation="ask",
            input=self.input(body),
            caller=caller,
            session=self.session(body, caller),
            options=self.options(body),
            stream=_typed(body, "stream", bool, False),
            delivery_id=headers.get("idempotency-key"),
        )

    def input(self, body: Mapping[str, Any]) -> str:
        """The text; blank text is no turn (contract 3.5)."""
        text = _typed(body, "input", str, "")
        if not text.strip():
            raise RequestError("The input is missing or blank.", param="input")
        return text

    def session(self, body: Mapping[str, Any], caller: Caller) -> ChannelSession | None:
        """The session that the body names; it belongs to the caller."""
        key = _typed(body, "session", str, "")
        return ChannelSession(key=key) if key else None

    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The allowed ones of the options asked for."""
        asked = _typed(body, "options", dict, {})
        return {name: value for name, value in asked.items() if name in _OPTIONS}

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        """One turn to its end."""
        return await self.context.run(turn, protocol_request=body)

    async def answer_stream(self, turn: ChannelRequest, body: Mapping[str, Any]) -> StreamingAnswer:
        """One turn as events; what fails before its first update still gets a status."""
        stream = await self.context.run_stream(turn, protocol_request=body)
        limits = self.context.limits
        return StreamingAnswer(
            self.frames(stream),
            write_timeout=limits.write_timeout,
            keepalive=limits.keepalive,
            logger=self.context.logger,
        )

    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        """The events of one turn; the stream is closed whatever becomes of its reader."""
        items = StreamedItems()
        try:
            async for update in stream:
                for item, text in items.add(update):
                    yield self.frame("delta", {"item": item, "text": text})
            yield self.done(await stream.result(), items.texts)
        except HostingError as error:
            yield self.frame("error", {"code": error.code, "message": error.message})
        finally:
            await self.close(stream)

    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        """The terminal event; it lists what was streamed."""
        return self.frame("done", self.render(result, items))

    async def close(self, stream: HostedStreamResult) -> None:
        """Abandons the turn if it still runs."""
        await stream.aclose()

    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        """What a one-shot answer says."""
        return text_items(as_response(result.result))

    def render(self, result: HostedRunResult[Any], items: Sequence[str]) -> dict[str, Any]:
        """The answer object."""
        return {"id": result.response_id, "status": result.status, "items": list(items)}

    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        """One event on the wire."""
        return sse_event(msgspec.json.encode(data), event=event)


def _typed(body: Mapping[str, Any], key: str, kind: type[Any], default: Any) -> Any:
    value = body.get(key, default)
    if not isinstance(value, kind):
        raise RequestError(f"{key!r} must be a JSON {kind.__name__}.", param=key)
    return value
