"""The app's hooks, and the one way the host calls them (contract 5)."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from agent_framework import AgentResponseUpdate

    from .envelope import ChannelIdentity, ChannelRequest, Destination
    from .results import HostedRunResult


class ChannelRunHook(Protocol):
    """Changes or refuses a request before its session is opened (contract 5.1).

    Called with `target` and `protocol_request` only where the signature takes them. Refuse with `HookRejected`, whose
    message reaches the client, or with `ValueError`, whose text does not.
    """

    def __call__(
        self, request: ChannelRequest, *, target: Any, protocol_request: Any
    ) -> ChannelRequest | Awaitable[ChannelRequest]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelResponseContext:
    """For whom a response hook is called (contract 5.2)."""

    request: ChannelRequest
    channel_name: str
    destination: Destination
    destination_identity: ChannelIdentity | None = None
    originating: bool = True
    is_echo: bool = False


class ChannelResponseHook(Protocol):
    """Replaces the final result, once per destination, on that destination's own copy (contract 5.2)."""

    def __call__(
        self, result: HostedRunResult[Any], *, context: ChannelResponseContext
    ) -> HostedRunResult[Any] | Awaitable[HostedRunResult[Any]]: ...


ChannelStreamUpdateHook = Callable[
    ["AgentResponseUpdate"], "AgentResponseUpdate | Awaitable[AgentResponseUpdate | None] | None"
]
"""Replaces or drops (None) one streamed update; no redaction of the final result (contract 5.3)."""

ChannelStreamTransformHook = ChannelStreamUpdateHook


async def call_hook(hook: Callable[..., Any], first: Any, /, **optional: Any) -> Any:
    """Calls a sync or async hook with only the keywords that its signature takes (contract 5.1)."""
    taken = _keywords_taken(hook, frozenset(optional))
    outcome = hook(first, **{name: optional[name] for name in taken})
    return await outcome if inspect.isawaitable(outcome) else outcome


def _keywords_taken(hook: Callable[..., Any], offered: frozenset[str]) -> frozenset[str]:
    try:
        return _cached_keywords(hook, offered)
    except TypeError:  # an unhashable callable object
        return _inspect_keywords(hook, offered)


def _inspect_keywords(hook: Callable[..., Any], offered: frozenset[str]) -> frozenset[str]:
    parameters = inspect.signature(hook).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return offered
    by_name = {p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    return offered & by_name


_cached_keywords = lru_cache(maxsize=256)(_inspect_keywords)
