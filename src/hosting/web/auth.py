"""Who may call an API channel (contract 17.2).

A channel passes its `auth` option to `resolve_auth` once, and awaits the `Gate` that it gets for each connection,
HTTP or WebSocket, before it reads the body. Every refused credential looks the same to the client.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from ..envelope import Caller
from ..errors import ChannelConfigurationError, Denied, NotAuthenticated
from .loopback import why_not_loopback

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

LOCAL_CALLER = Caller(id="local")
"""The one caller of channels that answer on loopback only, or that `auth=None` opened."""

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]+|null|\*")


class Authenticator(Protocol):
    """Anything that tells who opened a connection; sync or async."""

    def __call__(self, connection: HTTPConnection, /) -> Caller | Awaitable[Caller]:
        """The caller.

        Raises:
            NotAuthenticated: There is no credential, or it is not valid; the message is not shown.
            Denied: The caller is known and may not come in.
        """
        ...


Auth = Authenticator | Literal["loopback"] | None
"""What channels take as `auth`."""


def resolve_auth(
    auth: Auth, *, channel: str, allowed_origins: Sequence[str] = (), logger: logging.Logger | None = None
) -> Gate:
    """Makes of a channel's `auth` option what it awaits for each connection.

    Args:
        auth: `"loopback"`, an `Authenticator` such as `BearerTokens` or `JwtBearer`, or None to let everybody in.
        channel: Named in the log and in errors.
        allowed_origins: Browser origins that may call, such as `https://app.example.com`; `*` for all.
        logger: Where refusals under `"loopback"` are told.

    Raises:
        ChannelConfigurationError: `auth` or an origin is of another kind.
    """
    if not (auth is None or auth == "loopback" or callable(auth)):
        raise ChannelConfigurationError(
            f"found a {type(auth).__name__}, expected 'loopback', BearerTokens, JwtBearer, a callable or None",
            channel=channel,
            field="auth",
        )
    if isinstance(allowed_origins, str):
        allowed_origins = (allowed_origins,)
    origins = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ChannelConfigurationError(
                f"found {origin!r}, expected scheme://host[:port]", channel=channel, field="allowed_origins"
            )
    return Gate(auth, channel, origins, logger or logging.getLogger(__name__))


class Gate:
    """Authenticates the connections of one channel; made by `resolve_auth`.

    Attributes:
        description: For the start line of the host (contract 1.9): `loopback`, `open`, or what the authenticator
            is called; never a secret.
    """

    def __init__(
        self, auth: Auth, channel: str, allowed_origins: frozenset[str], logger: logging.Logger
    ) -> None:
        self._auth: Auth = auth
        self._channel = channel
        self._allowed_origins = allowed_origins
        self._logger = logger
        self.description: str = _describe(auth)

    async def __call__(self, connection: HTTPConnection, /) -> Caller:
        """Who opened `connection`.

        Raises:
            Denied: A browser sent it from an origin that is not listed.
            NotAuthenticated: In the same words whatever the reason.
            HostingError: Another one that the authenticator raised.
        """
        self._check_origin(connection)
        auth = self._auth
        if auth is None:
            return LOCAL_CALLER
        if isinstance(auth, str):
            self._check_loopback(connection)
            return LOCAL_CALLER
        try:
            outcome = auth(connection)
            caller = await outcome if inspect.isawaitable(outcome) else outcome
        except NotAuthenticated:
            raise _refusal() from None
        return self._checked(caller)

    def _checked(self, caller: object) -> Caller:
        if not isinstance(caller, Caller):
            raise TypeError(
                f"auth of channel {self._channel!r} returned {type(caller).__name__}, expected a Caller; "
                "raise NotAuthenticated to refuse"
            )
        return caller

    def _check_origin(self, connection: HTTPConnection) -> None:
        origins = [value for name, value in connection.scope["headers"] if name == b"origin"]
        if not origins or "*" in self._allowed_origins:
            return
        if len(origins) > 1 or origins[0].decode("latin-1").lower() not in self._allowed_origins:
            raise Denied("Requests from this browser origin are not allowed.")

    def _check_loopback(self, connection: HTTPConnection) -> None:
        reason = why_not_loopback(connection.scope)
        if reason is not None:
            self._logger.warning(
                "Channel %s refused a connection: %s, and auth='loopback' serves this machine only. "
                "Give the channel an authenticator to serve others.",
                self._channel,
                reason,
            )
            raise _refusal()


def _describe(auth: Auth) -> str:
    if auth is None:
        return "open"
    return auth if isinstance(auth, str) else str(getattr(auth, "__name__", type(auth).__name__))


def _refusal() -> NotAuthenticated:
    return NotAuthenticated("Authentication is required.")
