"""The channel: its options, and the routes it contributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from agent_framework import AgentResponseUpdate
from starlette.routing import BaseRoute

from hosting import (
    ChannelConfigurationError,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    ChannelResponseHook,
    ChannelRunHook,
    ChannelStreamUpdateHook,
    StateWrite,
    TurnEnd,
)
from hosting.web import Auth, resolve_auth

from .conversations import ConversationRoutes
from .errors import render_error
from .models import ModelRoutes
from .routes import ResponseRoutes
from .service import ResponseService
from .websocket import ResponseSockets

STORE_TTL = 30 * 86_400.0
"""Seconds that the API keeps a response."""


class ResponsesChannel:
    """Serves the host's target over the OpenAI Responses API (channels 1).

    Args:
        name: The channel's name; unique in its host.
        path: Where responses live. Conversations, models and the `/v1` forms lie under the path without its last
            segment (contract 1.4).
        auth: Who may call: `"loopback"`, an authenticator, or None for everybody (contract 17.2).
        allowed_origins: Browser origins that may call.
        model: What the target is called in `model` and in the list of models; None takes the target's name.
        run_hook: Changes or refuses requests (contract 5.1).
        response_hook: Replaces final results (contract 5.2).
        stream_update_hook: Replaces or drops streamed updates (contract 5.3).
        allowlist: Who is allowed; `"inherit"` takes the host's.
        require_link: Whether callers must be linked.
        confidentiality_tier: For link policies.
        accept_response_target: Whether a body may say where the reply goes (contract 10.1).
        on_disconnect: What becomes of a run whose client left: `"cancel"`, or `"continue"` if the response is stored; it
            can then be retrieved, and its events read again, as those of a background response.
        serves_models: Whether this channel answers the `models` address of its base.
        serves_conversations: Whether it answers the `conversations` address. Two channels with one base need both
            switched off in one of them; its `conversation` parameter works all the same.
        store_ttl: Seconds that a stored response can be read and continued; None for good.

    Raises:
        ChannelConfigurationError: An option is wrong.
    """

    transport: Literal["http"] = "http"

    def __init__(
        self,
        name: str = "responses",
        path: str = "/responses",
        *,
        auth: Auth = "loopback",
        allowed_origins: Sequence[str] = (),
        model: str | None = None,
        run_hook: ChannelRunHook | None = None,
        response_hook: ChannelResponseHook | None = None,
        stream_update_hook: ChannelStreamUpdateHook | None = None,
        allowlist: Any = "inherit",
        require_link: bool = False,
        confidentiality_tier: str | None = None,
        accept_response_target: bool = False,
        on_disconnect: Literal["cancel", "continue"] = "cancel",
        serves_models: bool = True,
        serves_conversations: bool = True,
        store_ttl: float | None = STORE_TTL,
    ) -> None:
        self.name = name
        self.path = path
        self.auth: Auth = auth
        self.allowed_origins = allowed_origins
        self.model = model
        self.run_hook = run_hook
        self.response_hook = response_hook
        self.stream_update_hook = stream_update_hook
        self.allowlist = allowlist
        self.require_link = require_link
        self.confidentiality_tier = confidentiality_tier
        self.accept_response_target = accept_response_target
        self.on_disconnect = on_disconnect
        self.serves_models = serves_models
        self.serves_conversations = serves_conversations
        self.store_ttl = store_ttl
        self._gate = resolve_auth(auth, channel=name, allowed_origins=allowed_origins)
        self._check()

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """The routes: its own under `path`, its siblings and the `/v1` forms under the base (contract 1.4)."""
        service = ResponseService(
            self.name,
            context,
            model=self.model,
            store_ttl=self.store_ttl,
            goes_on=self.on_disconnect == "continue",
        )
        self._background = service.background
        responses, sockets = ResponseRoutes(service, self._gate), ResponseSockets(service, self._gate)
        conversations, models = ConversationRoutes(service, self._gate), ModelRoutes(service, self._gate)
        base, _, last = self.path.rpartition("/")
        root: list[BaseRoute] = []
        if last:
            root += [*responses.at(f"{base}/v1/{last}"), *sockets.at(f"{base}/v1/{last}")]
        for prefix in (base, f"{base}/v1"):
            if self.serves_conversations:
                root += conversations.at(f"{prefix}/conversations")
            if self.serves_models:
                root += models.at(f"{prefix}/models")
        return ChannelContribution(
            routes=[*responses.at(""), *sockets.at("")], root_routes=root, render_error=render_error
        )

    async def conclude_run(
        self, request: ChannelRequest, updates: Sequence[AgentResponseUpdate], end: TurnEnd, /
    ) -> Sequence[StateWrite]:
        """The records of a background response that has ended (contract 12.1)."""
        return await self._background.conclude(request, updates, end)

    def _check(self) -> None:
        if self.store_ttl is not None and self.store_ttl <= 0:
            raise ChannelConfigurationError(
                f"found {self.store_ttl!r}, expected seconds above 0, or None",
                channel=self.name,
                field="store_ttl",
            )
