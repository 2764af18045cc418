"""The channel: its options, and the routes it contributes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

from starlette.middleware import Middleware

from hosting import (
    ChannelConfigurationError,
    ChannelContext,
    ChannelContribution,
    ChannelResponseHook,
    ChannelRunHook,
    ChannelStreamUpdateHook,
)
from hosting.web import Auth, resolve_auth

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
        on_disconnect: What becomes of a run whose client left; `"continue"` is not available yet.
        store_ttl: Seconds that an invocation can be retrieved; None for good.

    Raises:
        ChannelConfigurationError: An option is wrong.
    """

    transport: Literal["http"] = "http"

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
        routes = InvocationRoutes(
            service,
            self._gate,
            path=self.path,
            parser=self.parser,
            default_session=self._default_session,
        )
        return ChannelContribution(
            routes=routes.all(), middleware=[Middleware(AnswerHeaders)], render_error=render_error
        )

    def _check(self) -> None:
        if self.on_disconnect not in ("cancel", "continue"):
            raise self._refused(
                "on_disconnect", f"found {self.on_disconnect!r}, expected 'cancel' or 'continue'"
            )
        if self.store_ttl is not None and self.store_ttl <= 0:
            raise self._refused("store_ttl", f"found {self.store_ttl!r}, expected seconds above 0, or None")
        if self.parser is not None and not callable(self.parser):
            raise self._refused(
                "parser", f"found a {type(self.parser).__name__}, expected a callable or None"
            )

    def _refused(self, field: str, message: str) -> ChannelConfigurationError:
        return ChannelConfigurationError(message, channel=self.name, field=field)
