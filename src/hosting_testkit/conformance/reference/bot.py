"""A chat bot behind a signed webhook, which answers by calls to its platform.

Event `{"id", "kind": "message", "chat": {"id", "group"}, "thread", "from": {"id"}, "text"}` with the header
`x-signature`, the hex HMAC-SHA256 of the body. Events of other kinds are acknowledged and left alone. Each step is a
method of its own, so that a mutant can break one of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from starlette.requests import Request
from starlette.routing import Route

from hosting import (
    ChannelConfigurationError,
    ChannelContext,
    ChannelContribution,
    ChannelIdentity,
    ChannelRequest,
    ChannelResponseHook,
    ChannelRunHook,
    Destination,
    HostedRunResult,
    HostingError,
    InboundEvent,
    NotAuthenticated,
    PushContext,
    PushReceipt,
    PushRetryable,
    RequestError,
    as_response,
)
from hosting.messaging import split_utf16, text_items
from hosting.web import JsonAnswer, decode_json_object, read_body

from .platform import TEXT_LIMIT

PLATFORM_URL = "https://chat.example"
_MAX_BODY = 1024 * 1024
_SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is no turn, and why."""

    reason: str


class BotChannel:
    """The reference for channels that acknowledge first and answer later.

    Args:
        secret: The key of the signatures, at least 16 characters.
        http: A client for the platform; the channel makes its own, and closes that one, if none is given.
        name: The channel's name.
        path: Where it is mounted; the webhook is at `/events` below it.
        run_hook: See `hosting.ChannelRunHook`.
        response_hook: See `hosting.ChannelResponseHook`.

    Raises:
        ChannelConfigurationError: The secret is missing or short.
    """

    context: ChannelContext
    client: httpx.AsyncClient

    def __init__(
        self,
        *,
        secret: str,
        http: httpx.AsyncClient | None = None,
        name: str = "bot",
        path: str = "/bot",
        run_hook: ChannelRunHook | None = None,
        response_hook: ChannelResponseHook | None = None,
    ) -> None:
        self.name = name
        self.path = path
        self.run_hook = run_hook
        self.response_hook = response_hook
        self.given = http
        self.secret = secret
        self.check_options()

    def check_options(self) -> None:
        """Refuses what could not work or would not be safe (contract 17.1)."""
        if len(self.secret) < _SHORTEST_SECRET:
            raise ChannelConfigurationError(
                f"found {len(self.secret)} characters, expected at least {_SHORTEST_SECRET}; "
                "copy the signing secret from the platform",
                channel=self.name,
                field="secret",
            )

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """The webhook, and the client's life."""
        self.context = context
        return ChannelContribution(
            routes=[Route("/events", self.receive, methods=["POST"])],
            on_startup=[self.start],
            on_shutdown=[self.stop],
        )

    async def start(self) -> None:
        """Gets the client ready."""
        self.client = self.given or httpx.AsyncClient(base_url=PLATFORM_URL)

    async def stop(self) -> None:
        """Closes the client, if it is the channel's own."""
        if self.given is None:
            await self.client.aclose()

    async def receive(self, request: Request) -> JsonAnswer:
        """One delivery: authenticate the raw bytes, parse, claim, acknowledge."""
        raw = await read_body(request, self.context.limits.body_limit(_MAX_BODY))
        self.authenticate(raw, request.headers)
        payload = self.decode(raw)
        event = self.parse(payload)
        if not isinstance(event, Ignored):
            await self.context.accept(event)
        return JsonAnswer(b'{"ok":true}')

    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        """Compares the signature in constant time."""
        expected = hmac.new(self.secret.encode(), raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), headers.get("x-signature", "").encode()):
            raise NotAuthenticated("The signature is missing or wrong.")

    def decode(self, raw: bytes) -> dict[str, Any]:
        """The body as JSON."""
        return decode_json_object(raw)

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        """The event to accept; what this version does not know is ignored, never an error (contract 2.7)."""
        if payload.get("kind") != "message":
            return Ignored("not a message")
        try:
            message = msgspec.convert(payload, _Message)
        except msgspec.ValidationError as error:
            raise RequestError("The message is malformed.") from error
        if not message.text.strip():
            return Ignored("blank text")
        return InboundEvent(
            delivery_id=self.delivery_id(message.id),
            payload=dict(payload),
            conversation_id=message.chat.id,
            thread_id=message.thread,
            native_id=message.sender.id,
            conversation_kind="group" if message.chat.group else "private",
        )

    def delivery_id(self, event_id: str) -> str:
        """What redeliveries of one event have in common."""
        return event_id

    async def process(self, event: InboundEvent, /) -> None:
        """Runs the turn of an accepted event; the host delivers its reply, or the apology for its failure."""
        try:
            await self.run(self.request(event), event)
        except HostingError as error:
            self.context.logger.debug("event %s ended with %s", event.delivery_id, error.code)

    def request(self, event: InboundEvent) -> ChannelRequest:
        """The turn of an accepted event."""
        return ChannelRequest(
            channel=self.name,
            input=self.text(event.payload),
            identity=ChannelIdentity(self.name, event.native_id or ""),
            conversation_id=event.conversation_id,
            thread_id=event.thread_id,
            conversation_kind=event.conversation_kind,
            delivery_id=event.delivery_id,
        )

    def text(self, payload: Mapping[str, Any]) -> str:
        """What the person said, verbatim."""
        return payload["text"]

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        """One turn to its end."""
        return await self.context.run(request, protocol_request=event.payload)

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        """Sends the texts of a result to where the conversation is."""
        ids: list[str] = []
        for text in self.texts(payload):
            for part in self.split(text):
                try:
                    answer = await self.send(destination, part)
                except httpx.ConnectError as error:
                    raise PushRetryable("the platform cannot be reached") from error
                if answer.status_code == 429 and not ids:
                    raise PushRetryable(retry_after=float(answer.headers.get("retry-after", 1)))
                if answer.status_code >= 400:
                    return PushReceipt(status="dead", native_ids=ids, detail=f"status {answer.status_code}")
                ids.append(answer.json()["id"])
        return PushReceipt(status="sent", native_ids=ids)

    def texts(self, payload: HostedRunResult[Any]) -> Sequence[str]:
        """What a result says."""
        return text_items(as_response(payload.result))

    def split(self, text: str) -> Sequence[str]:
        """Messages that the platform takes."""
        return split_utf16(text, TEXT_LIMIT)

    async def send(self, destination: Destination, text: str) -> httpx.Response:
        """One message."""
        message = {"chat": destination.conversation_id, "thread": destination.thread_id, "text": text}
        return await self.client.post("/send", json=message)


class _Chat(msgspec.Struct):
    id: str
    group: bool = False


class _Sender(msgspec.Struct):
    id: str


class _Message(msgspec.Struct):
    id: str
    chat: _Chat
    sender: _Sender = msgspec.field(name="from")
    text: str = ""
    thread: str | None = None
