"""Which store a host was given: an object, or the URL of one (contract 15.1)."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from ..errors import ChannelConfigurationError
from .base import HostStateStore
from .memory import InMemoryHostStateStore
from .postgres import PostgresHostStateStore
from .sqlite import SqliteHostStateStore

_EXPECTED = "expected a store object, 'memory:', 'sqlite:///path/to/state.db' or 'postgresql://host/database'"


def open_store(state: str | HostStateStore) -> HostStateStore:
    """The store that `state` names; it does no I/O, the store's own `open` does.

    Args:
        state: A store, given back as it is; `memory:`; `sqlite:///relative.db` or `sqlite:////absolute.db`, percent
            escapes decoded; `postgresql://user:password@host/database`.

    Raises:
        ChannelConfigurationError: The URL names no store that exists. It never repeats more than the scheme.
    """
    if not isinstance(state, str):
        return _checked(state)
    scheme, colon, _ = state.partition(":")
    if not colon:
        raise _refused(f"found a text without a scheme, {_EXPECTED}")
    match scheme.lower():
        case "memory":
            return InMemoryHostStateStore()
        case "sqlite":
            return SqliteHostStateStore(_sqlite_path(state))
        case "postgresql" | "postgres":
            return PostgresHostStateStore(state)
        case other:
            raise _refused(f"found the scheme {other!r}, {_EXPECTED}")


def _sqlite_path(url: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or parts.query or parts.fragment or not path or not parts.path.startswith("/"):
        raise _refused(
            "found a sqlite URL with a host, a query or no path, expected 'sqlite:///relative.db' or "
            "'sqlite:////absolute.db'"
        )
    return path


def _checked(state: object) -> HostStateStore:
    if isinstance(state, HostStateStore):
        return state
    raise _refused(f"found a {type(state).__name__}, {_EXPECTED}")


def _refused(message: str) -> ChannelConfigurationError:
    return ChannelConfigurationError(message, field="state")
