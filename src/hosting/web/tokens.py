"""Static bearer tokens (RFC 6750), for API channels that know their callers by heart."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..envelope import Caller
from ..errors import ChannelConfigurationError, NotAuthenticated

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

_TOKEN = re.compile(r"[\x21-\x7e]+")


class BearerTokens:
    """Authenticates by tokens that the app author handed out.

    Args:
        tokens: Token to caller, or to the caller's id; give a caller two tokens while you rotate. A sequence
            holds the tokens, current and previous, of one caller with the id `default`.

    Raises:
        ChannelConfigurationError: There is no token, or one that cannot stand in a header.
    """

    def __init__(self, tokens: Mapping[str, str | Caller] | Sequence[str]) -> None:
        if isinstance(tokens, str):
            raise ChannelConfigurationError(
                "found one str, expected a mapping of token to caller or a list of tokens", field="auth"
            )
        callers = tokens if isinstance(tokens, Mapping) else dict.fromkeys(tokens, "default")
        if not callers:
            raise ChannelConfigurationError("found no tokens, expected at least one", field="auth")
        self._key = secrets.token_bytes(32)
        self._callers = {
            self._digest(_header_bytes(token)): who if isinstance(who, Caller) else Caller(id=who)
            for token, who in callers.items()
        }

    def __call__(self, connection: HTTPConnection, /) -> Caller:
        """The caller whose token the connection carries.

        Raises:
            NotAuthenticated: It carries none, or an unknown one.
        """
        caller = self._callers.get(self._digest(bearer_token(connection)))
        if caller is None:
            raise NotAuthenticated("The bearer token is unknown.")
        return caller

    def _digest(self, token: bytes) -> bytes:
        """Tokens are kept and found by a digest under a random key: how long a look-up takes says nothing of them."""
        return hashlib.blake2b(token, key=self._key, digest_size=32).digest()


def bearer_token(connection: HTTPConnection) -> bytes:
    """The token of the one `Authorization: Bearer` header, as it came.

    Raises:
        NotAuthenticated: There is no such header, more than one, or one of another scheme.
    """
    found = [value for name, value in connection.scope["headers"] if name == b"authorization"]
    scheme, _, token = found[0].partition(b" ") if len(found) == 1 else (b"", b"", b"")
    if scheme.lower() != b"bearer" or not token:
        raise NotAuthenticated("Expected one Authorization header of the scheme Bearer.")
    return token.strip()


def _header_bytes(token: object) -> bytes:
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ChannelConfigurationError(
            "found a token that cannot stand in a header, expected visible ASCII characters", field="auth"
        )
    return token.encode()
