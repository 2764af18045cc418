"""Which addresses channels want, and that nobody takes another's (contract 1.4, 1.5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute, Mount, WebSocketRoute, compile_path

from .channel import Channel, ChannelContribution
from .errors import ChannelConfigurationError

HOST_PATHS = ("/liveness", "/readiness")
_ANY = "ANY"
_WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True, slots=True)
class Contributed:
    """A channel with what it contributed."""

    channel: Channel
    contribution: ChannelContribution


def check_addresses(channels: Sequence[Contributed]) -> None:
    """No two channels want one address, and none wants the host's.

    Raises:
        ChannelConfigurationError: Two do, or one does.
    """
    taken: dict[tuple[str, str], str] = {}
    for item in channels:
        for path, methods in addresses(item):
            if path.rstrip("/") in HOST_PATHS:
                raise ChannelConfigurationError(
                    f"wants {path}, which belongs to the host; give the channel another path",
                    channel=item.channel.name,
                    field="path",
                )
            for method in methods:
                other = taken.setdefault((path, method), item.channel.name)
                if other != item.channel.name:
                    raise ChannelConfigurationError(
                        f"{method} {path} is taken by channel {other!r}; give one of them another path, or switch "
                        "the address off where the channel has an option for it",
                        channel=item.channel.name,
                        field="path",
                    )


def check_shadows(channels: Sequence[Contributed]) -> None:
    """Root routes come before all channels, so a pattern among them may hide what somebody else answers.

    Raises:
        ChannelConfigurationError: One does.
    """
    taken = [(address, item.channel.name) for item in channels for address in addresses(item)]
    taken += [((path, (_ANY,)), "") for path in HOST_PATHS]
    for item in channels:
        name = item.channel.name
        for route in item.contribution.root_routes:
            for (path, methods), owner in taken:
                if owner != name and _takes(route, path, methods):
                    whose = f"channel {owner!r} answers at" if owner else "belongs to the host"
                    raise ChannelConfigurationError(
                        f"its root route {getattr(route, 'path', '')} takes {path}, which {whose}; "
                        "give the route a narrower path",
                        channel=name,
                        field="root_routes",
                    )


def addresses(item: Contributed) -> list[tuple[str, Sequence[str]]]:
    """Every address of a channel with its methods."""
    prefix = item.channel.path
    inside = [
        (prefix + ("" if path == "/" else path), methods)
        for path, methods in _paths(item.contribution.routes)
    ]
    return [(path or "/", methods) for path, methods in [*inside, *_paths(item.contribution.root_routes)]]


def _paths(routes: Sequence[BaseRoute]) -> list[tuple[str, Sequence[str]]]:
    return [
        (path, _methods(route)) for route in routes if isinstance(path := getattr(route, "path", None), str)
    ]


def _methods(route: BaseRoute) -> Sequence[str]:
    if isinstance(route, WebSocketRoute):
        return (_WEBSOCKET,)
    return sorted(getattr(route, "methods", None) or (_ANY,))


def _takes(route: BaseRoute, path: str, methods: Collection[str]) -> bool:
    """Whether a request to `path` by one of `methods` would end up at `route`."""
    own = getattr(route, "path", None)
    if not isinstance(own, str):
        return False
    mine = _methods(route)
    if _ANY not in (*mine, *methods) and not set(mine) & set(methods):
        return False
    pattern = own + "/{path:path}" if isinstance(route, Mount) else own
    return compile_path(pattern)[0].match(path) is not None
