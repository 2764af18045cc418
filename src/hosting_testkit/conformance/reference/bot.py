"""A chat bot behind a signed webhook, which answers by calls to its platform.

The platform is that of `hosting_testkit.simulators.bot`. Updates that are no turns are acknowledged and left alone. Each
step is a method of its own, so that a mutant can break one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal, Unpack

import httpx
from agent_framework import Content, Message
from starlette.requests import Request
from starlette.routing import Route

from hosting import (
    ChannelConfigurationError,
    ChannelContext,
    ChannelContribution,
    ChannelIdentity,
    ChannelRequest,
    HostedRunResult,
    HostingError,
    InboundEvent,
    NotAuthenticated,
    OnCommit,
    PushRetryable,
    StateWrite,
    TurnEnd,
    is_stop_command,
)
from hosting.messaging import GroupMode, LoopGuard, OpenRequests
from hosting.web import JsonAnswer, decode_json_object, read_body, require_json

from .bot_api import BotApi, Refused
from .bot_message import pressed
from .bot_replies import BotReplies
from .bot_signature import is_signed
from .bot_update import Account, Ignored, Press, Update, address, read_update, unwanted
from .options import CommonOptions, keep_common

PLATFORM_URL = "https://bots.example"
_MAX_BODY = 1024 * 1024
_SHORTEST_SECRET = 16
_STARTUP_SECONDS = 10.0


class BotChannel(BotReplies):
    """The reference for channels that acknowledge first and answer later.

    Args:
        secret: The key of the signatures, at least 16 characters; a list while it is changed; None only with the last option.
        token: The token for the platform's API.
        http: A client for the platform; the channel makes its own, and closes that one, if none is given.
        account: The bot's own account on the platform.
        accept_in_group: What it listens to in groups (contract 6.4).
        accept_bots: Whether other bots are answered, a few times in a row (contract 17.4).
        name: The channel's name.
        path: Where it is mounted; the webhook is at `/events` below it.
        dangerously_allow_unauthenticated: Takes events that nobody signed (contract 17.1).
        common: See `CommonOptions`.

    Attributes:
        needs_menu: It does not start while it cannot offer its commands (contract 13.1).

    Raises:
        ChannelConfigurationError: A secret or the token is missing or short.
    """

    context: ChannelContext
    client: httpx.AsyncClient
    requests: OpenRequests
    run_hook: Any
    response_hook: Any
    transport: Literal["http", "polling", "gateway"] = "http"
    needs_menu = False

    def __init__(
        self,
        *,
        secret: str | Sequence[str] | None,
        token: str,
        http: httpx.AsyncClient | None = None,
        account: Account | None = None,
        accept_in_group: GroupMode = "mention_only",
        accept_bots: bool = False,
        name: str = "bot",
        path: str = "/bot",
        dangerously_allow_unauthenticated: bool = False,
        **common: Unpack[CommonOptions],
    ) -> None:
        self.name = name
        self.path = path
        self.given = http
        self.secret = secret or ()
        self.token = token
        self.accept_in_group: GroupMode = accept_in_group
        self.account = replace(account or Account(), in_groups=accept_in_group, bots=accept_bots)
        self.unauthenticated = dangerously_allow_unauthenticated
        self.loops = LoopGuard()
        keep_common(self, common)
        self.check_options()

    @property
    def secrets(self) -> Sequence[str]:
        """The keys that may sign."""
        return [self.secret] if isinstance(self.secret, str) else list(self.secret)

    def check_options(self) -> None:
        """Refuses what could not work or would not be safe (contract 17.1)."""
        self.check_length("token", self.token)
        for secret in self.secrets if self.secrets or self.unauthenticated else [""]:
            self.check_length("secret", secret)

    def check_length(self, field: str, value: str) -> None:
        """Refuses a secret that is missing or could be guessed."""
        if len(value) < _SHORTEST_SECRET:
            raise ChannelConfigurationError(
                f"found {len(value)} characters, expected at least {_SHORTEST_SECRET}; "
                f"copy the {field} from the platform",
                channel=self.name,
                field=field,
            )

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """The webhook, and the client's life."""
        self.context = context
        self.requests = OpenRequests(context.state())
        return ChannelContribution(
            routes=[Route("/events", self.receive, methods=["POST"])],
            on_startup=[self.start],
            on_shutdown=[self.stop],
        )

    async def start(self) -> None:
        """Gets the client ready, and offers the commands; see `needs_menu` for a platform that is away."""
        self.client = self.given or httpx.AsyncClient(base_url=PLATFORM_URL)
        self.api = BotApi(self.client, self.token, self.context.time_source.now)
        if not self.secrets and self.unauthenticated:
            self.context.logger.warning("channel %s takes events from anybody", self.name)
        try:
            async with asyncio.timeout(_STARTUP_SECONDS):
                await self.offer_commands()
        except (Refused, PushRetryable, httpx.HTTPError, TimeoutError) as error:
            self.context.logger.warning("channel %s could not offer its commands: %s", self.name, error)
            if self.needs_menu:
                raise

    async def offer_commands(self) -> None:
        """Brings the platform's menu up to date."""
        await self.api.offer_commands(self.context.commands)

    async def stop(self) -> None:
        """Closes the client, if it is the channel's own."""
        if self.given is None:
            await self.client.aclose()

    async def receive(self, request: Request) -> JsonAnswer:
        """One delivery: authenticate the raw bytes, parse, claim, acknowledge."""
        raw = await read_body(request, self.context.limits.body_limit(_MAX_BODY))
        self.authenticate(raw, request.headers)
        require_json(request.headers)
        await self.take(self.decode(raw))
        return JsonAnswer(b'{"ok":true}')

    async def take(self, payload: Mapping[str, Any]) -> None:
        """Claims an update, if it is for us."""
        event = self.parse(payload)
        if not isinstance(event, Ignored):
            await self.context.accept(event)

    def authenticate(self, raw: bytes, headers: Mapping[str, str]) -> None:
        """Checks the signature in constant time."""
        if not self.secrets and self.unauthenticated:
            return
        if not is_signed(raw, headers, self.secrets, self.context.time_source.now()):
            raise NotAuthenticated("The signature is missing or wrong.")

    def decode(self, raw: bytes) -> dict[str, Any]:
        """The body as JSON."""
        return decode_json_object(raw)

    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        """The event to accept; what this version does not know is ignored, never an error (contract 2.7)."""
        update = read_update(payload)
        reason = update if isinstance(update, Ignored) else self.ignores(update)
        if reason is not None or isinstance(update, Ignored):
            return reason or Ignored("not an update")
        chat = update.shown.chat
        return InboundEvent(
            delivery_id=self.delivery_id(str(update.id)),
            payload=dict(payload),
            conversation_id=chat.id,
            thread_id=update.shown.thread,
            native_id=update.sender.id if update.sender else None,
            conversation_kind=chat.kind,
            bypass_lane=update.press is not None or is_stop_command(self.text(payload)),
        )

    def ignores(self, update: Update) -> Ignored | None:
        """Why an update is no turn of ours, or None."""
        if not self.loops.lets_pass(
            update.shown.chat.id, from_bot=update.sender is not None and update.sender.bot
        ):
            return Ignored("bots talk to each other")
        return unwanted(update, self.account)

    def delivery_id(self, event_id: str) -> str:
        """What redeliveries of one event have in common."""
        return event_id

    async def process(self, event: InboundEvent, /) -> None:
        """Runs the turn of an accepted event; the host delivers its reply, or the apology for its failure."""
        try:
            request = await self.with_contents(self.request(event), event)
            if request is not None:
                await self.run(request, event)
        except HostingError as error:
            self.context.logger.debug("event %s ended with %s", event.delivery_id, error.code)

    def request(self, event: InboundEvent) -> ChannelRequest:
        """The turn of an accepted event."""
        return ChannelRequest(
            channel=self.name,
            input=self.text(event.payload),
            identity=ChannelIdentity(self.name, event.native_id) if event.native_id else None,
            conversation_id=event.conversation_id,
            thread_id=event.thread_id,
            conversation_kind=event.conversation_kind,
            delivery_id=event.delivery_id,
        )

    def text(self, payload: Mapping[str, Any]) -> str:
        """What the person said, verbatim, without the bot's name."""
        update = read_update(payload)
        if isinstance(update, Ignored) or update.press is not None:
            return ""
        said = address(update.shown, self.account)
        return "" if isinstance(said, Ignored) else said.text

    async def with_contents(self, request: ChannelRequest, event: InboundEvent) -> ChannelRequest | None:
        """The turn with the file that came along, or with the answer that a button gives; None if it is nobody's."""
        update = read_update(event.payload)
        if isinstance(update, Ignored):
            return None
        if update.press is not None:
            answer = await self.answer_of(update.press)
            return request.replace(input=[Message("user", [answer])]) if answer else None
        file = update.shown.file
        if file is None:
            return request
        content = Content.from_data(
            await self.api.download(file.id), file.media_type, additional_properties={"filename": file.name}
        )
        return request.replace(input=[Message("user", [request.input, content])])

    async def answer_of(self, press: Press) -> Content | None:
        """What a pressed button answers; only the one who was asked can answer (channels 0.5)."""
        found = pressed(press.data)
        answer = None
        if found is not None and press.sender is not None:
            answer = await self.requests.answer(press.sender.id, found[0], approved=found[1])
        with suppress(Refused, PushRetryable, httpx.HTTPError):
            text = "Thank you." if answer else "This is not open for you."
            await self.api.call("answerButton", {"press": press.id, "text": text})
        return answer

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        """One turn to its end."""
        return await self.context.run(request, protocol_request=event.payload, on_commit=self.asked(request))

    def asked(self, request: ChannelRequest) -> OnCommit:
        """Keeps what the turn asks of the person."""
        owner = request.identity.native_id if request.identity else ""

        def records(end: TurnEnd, /) -> Sequence[StateWrite]:
            return self.requests.writes(owner, end.result.requests) if end.result else ()

        return records
