"""The channel: its options, and the routes it contributes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

from agent_framework import AgentResponseUpdate
from starlette.middleware import Middleware

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

from .background import BackgroundInvocations
from .errors import render_error
from .ids import SESSION_VARIABLE, AnswerHeaders
from .routes import InvocationParser, InvocationRoutes
from .service import InvocationService

STORE_TTL = 86_400.0
"""Seconds that an invocation is kept, as long as the host keeps the claim on its id."""


class InvocationsChannel:
    """Serves the host's target over the Foundry invocations protocol (channels 2).

    A container of the platform sets `FOUNDRY_AGENT_SESSION_ID`; it is read here and names the session of requests that
    name none.

    Args:
        name: The channel's name; unique in its host.
        path: Where invocations live.
        auth: Who may call: `"loopback"`, an authenticator, or None for everybody (contract 17.2).
        allowed_origins: Browser origins that may call.
        parser: Reads bodies of the app's own kind; None for the default envelope (see `InvocationParser`).
        run_hook: Changes or refuses requests (contract 5.1).
        response_hook: Replaces final results (contract 5.2).
        stream_update_hook: Replaces or drops streamed updates (contract 5.3).
        allowlist: Who is allowed; `"inherit"` takes the host's.
        require_link: Whether callers must be linked.
        confidentiality_tier: For link policies.
        accept_response_target: Whether a body may say where the reply goes (contract 10.1).
        on_disconnect: What becomes of a run whose client left: `"cancel"`, or `"continue"`; it can then be retrieved, and
            its events read again, as those of a background invocation.
        store_ttl: Seconds that an invocation can be retrieved; None for good. Those in the background can be for
            `limits.background_ttl` after their end.

    Raises:
        ChannelConfigurationError: An option is wrong.
    """

    transport: Literal["http"] = "http"
    _background: BackgroundInvocations

    def __init__(
        self,
        name: str = "invocations",
        path: str = "/invocations",
        *,
        auth: Auth = "loopback",
        allowed_origins: Sequence[str] = (),
        parser: InvocationParser | None = None,
        run_hook: ChannelRunHook | None = None,
        response_hook: ChannelResponseHook | None = None,
        stream_update_hook: ChannelStreamUpdateHook | None = None,
        allowlist: Any = "inherit",
        require_link: bool = False,
        confidentiality_tier: str | None = None,
        accept_response_target: bool = False,
        on_disconnect: Literal["cancel", "continue"] = "cancel",
        store_ttl: float | None = STORE_TTL,
    ) -> None:
        self.name = name
        self.path = path
        self.auth: Auth = auth
        self.allowed_origins = allowed_origins
        self.parser = parser
        self.run_hook = run_hook
        self.response_hook = response_hook
        self.stream_update_hook = stream_update_hook
        self.allowlist = allowlist
        self.require_link = require_link
        self.confidentiality_tier = confidentiality_tier
        self.accept_response_target = accept_response_target
        self.on_disconnect = on_disconnect
        self.store_ttl = store_ttl
        self._default_session = os.environ.get(SESSION_VARIABLE)
        self._gate = resolve_auth(auth, channel=name, allowed_origins=allowed_origins)
        self._check()

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """Four routes under `path`, and the ids on every answer."""
        service = InvocationService(self.name, context, store_ttl=self.store_ttl)
        self._background = service.background
        routes = InvocationRoutes(
            service,
            self._gate,
            path=self.path,
            parser=self.parser,
            default_session=self._default_session,
            goes_on=self.on_disconnect == "continue",
        )
        return ChannelContribution(
            routes=routes.all(), middleware=[Middleware(AnswerHeaders)], render_error=render_error
        )

    async def conclude_run(
        self, request: ChannelRequest, updates: Sequence[AgentResponseUpdate], end: TurnEnd, /
    ) -> Sequence[StateWrite]:
        """The records of a background invocation that has ended (contract 12.1)."""
        return await self._background.conclude(request, updates, end)

    def _check(self) -> None:
        if self.store_ttl is not None and self.store_ttl <= 0:
            raise self._refused("store_ttl", f"found {self.store_ttl!r}, expected seconds above 0, or None")
        if self.parser is not None and not callable(self.parser):
            raise self._refused(
                "parser", f"found a {type(self.parser).__name__}, expected a callable or None"
            )

    def _refused(self, field: str, message: str) -> ChannelConfigurationError:
        return ChannelConfigurationError(message, channel=self.name, field=field)
