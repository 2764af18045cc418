"""The endpoints: invoke, retrieve, cancel, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from hosting import Caller, RequestError
from hosting.web import (
    Gate,
    JsonAnswer,
    StreamingAnswer,
    cancel_on_disconnect,
    read_body,
    read_json_object,
)

from .codec import ParsedInvocation, encode, is_id, openapi_document, parse_envelope
from .errors import ParserNotImplemented
from .ids import AnswerIds, ids_of_post, remember

if TYPE_CHECKING:
    from starlette.requests import Request

    from .service import InvocationService

MAX_BODY_BYTES = 1024 * 1024

InvocationParser = Callable[[bytes, "str | None", Mapping[str, str]], ParsedInvocation]
"""`(body, content_type, headers)`. `ValueError` is 400, `NotImplementedError` is 501; a `HostingError` is told as it is."""


class InvocationRoutes:
    """The endpoints of one channel.

    Args:
        service: Runs and stores invocations.
        gate: Says who calls.
        path: The channel's path, for the document.
        parser: The app's own, or None for the default envelope.
        default_session: The session of requests that name none.
        goes_on: Whether an invocation goes on when its client has left.
    """

    def __init__(
        self,
        service: InvocationService,
        gate: Gate,
        *,
        path: str,
        parser: InvocationParser | None,
        default_session: str | None,
        goes_on: bool,
    ) -> None:
        self._goes_on = goes_on
        self._service = service
        self._context = service.context
        self._gate = gate
        self._parser = parser
        self._default_session = default_session
        document = openapi_document(
            path=path, title=service.context.target_info.name, any_content=parser is not None
        )
        self._document = JsonAnswer(encode(document))

    def all(self) -> list[Route]:
        """Relative to the channel's path; fixed names before ids."""
        return [
            Route("/", self.create, methods=["POST"]),
            Route("/docs/openapi.json", self.document, methods=["GET"]),
            Route("/{invocation_id}", self.retrieve, methods=["GET"]),
            Route("/{invocation_id}/cancel", self.cancel, methods=["POST"]),
        ]

    async def create(self, request: Request) -> JsonAnswer | StreamingAnswer:
        ids = ids_of_post(request, self._context.id_source, default_session=self._default_session)
        remember(request, ids)
        caller = await self._gate(request)
        parsed, native = await self._read(request)
        _take_session(ids, parsed)
        if parsed.background:
            return await self._queued(ids, caller, parsed, native)
        if self._goes_on:
            return await self._attended(ids, caller, parsed, native)
        if parsed.stream:
            return self._streaming(await self._service.stream(ids, caller, parsed, native))
        async with cancel_on_disconnect(request.receive):
            answer = await self._service.run(ids, caller, parsed, native)
        return JsonAnswer(encode(answer))

    async def retrieve(self, request: Request) -> JsonAnswer | StreamingAnswer:
        """The invocation, or, of one in the background, its events from any place on (contract 12.2)."""
        caller, invocation_id = await self._named(request)
        if request.query_params.get("stream", "").lower() in ("", "0", "false"):
            return JsonAnswer(encode((await self._service.get(caller, invocation_id)).answer))
        after = _starting_after(request)
        return self._streaming(await self._service.resume(caller, invocation_id, after=after))

    async def cancel(self, request: Request) -> JsonAnswer:
        caller, invocation_id = await self._named(request)
        return JsonAnswer(encode((await self._service.cancel(caller, invocation_id)).answer))

    async def document(self, request: Request) -> JsonAnswer:
        await self._gate(request)
        return self._document

    async def _queued(
        self, ids: AnswerIds, caller: Caller, parsed: ParsedInvocation, native: Any
    ) -> JsonAnswer | StreamingAnswer:
        """A background invocation as it stands, or its events; 202 until it has ended."""
        record = await self._service.queue(ids, caller, parsed, native)
        if parsed.stream:
            return self._streaming(await self._service.replay(caller, record))
        return JsonAnswer(encode(record.answer), status=200 if record.ended else 202)

    async def _attended(
        self, ids: AnswerIds, caller: Caller, parsed: ParsedInvocation, native: Any
    ) -> JsonAnswer | StreamingAnswer:
        """An invocation that its client waits for, and that does not depend on it (contract 7.3)."""
        record = await self._service.queue(ids, caller, parsed, native)
        if parsed.stream:
            return self._streaming(await self._service.replay(caller, record))
        return JsonAnswer(encode(await self._service.answer_of(caller, record)))

    async def _named(self, request: Request) -> tuple[Caller, str]:
        """The caller, and the invocation that the path names; what is no id is not put into a header."""
        invocation_id: str = request.path_params["invocation_id"]
        if is_id(invocation_id):
            remember(request, AnswerIds(invocation=invocation_id))
        return await self._gate(request), invocation_id

    async def _read(self, request: Request) -> tuple[ParsedInvocation, Any]:
        """What the body asks for, and the body as hooks see it."""
        limit = self._context.limits.body_limit(MAX_BODY_BYTES)
        if self._parser is None:
            body = await read_json_object(request, limit)
            return parse_envelope(body), body
        raw = await read_body(request, limit)
        return _parsed(self._parser, raw, request), raw

    def _streaming(self, frames: AsyncGenerator[bytes, None]) -> StreamingAnswer:
        return StreamingAnswer(
            frames,
            write_timeout=self._context.limits.write_timeout,
            logger=self._context.logger,
        )


def _take_session(ids: AnswerIds, parsed: ParsedInvocation) -> None:
    """The body names the session where nothing before it did; there, what is no id is an error."""
    named = parsed.session_id
    if named is not None and not is_id(named):
        raise RequestError(
            "A session id has 1 to 256 of A-Z, a-z, 0-9, '-', '_', '.' and ':'.", param="session_id"
        )
    if named is not None and ids.body_may_name_session:
        ids.session = named


def _starting_after(request: Request) -> int:
    """The number of the last event that the reader has; a reader that connects again says it in `Last-Event-ID`."""
    given = request.headers.get("last-event-id") or request.query_params.get("starting_after") or "0"
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise RequestError(
            f"Found {given[:40]!r}, expected the number of the last event that was read, or 0.",
            param="starting_after",
        )
    return int(given)


def _parsed(parser: InvocationParser, raw: bytes, request: Request) -> ParsedInvocation:
    try:
        parsed = parser(raw, request.headers.get("content-type"), request.headers)
    except NotImplementedError:
        raise ParserNotImplemented("This agent does not take requests of this kind.") from None
    except ValueError:
        raise RequestError("The request body could not be read as an invocation.") from None
    if not isinstance(parsed, ParsedInvocation):  # pyright: ignore[reportUnnecessaryIsInstance] - the app's own code
        raise TypeError(f"the parser returned {type(parsed).__name__}, expected a ParsedInvocation")
    if isinstance(parsed.input, str) and not parsed.input.strip():
        raise RequestError("The input is blank.", param="input")
    return parsed
