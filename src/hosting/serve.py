"""Serves a host in this process on Hypercorn, and drains it at the signal (contract 1.2, 1.7)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import ChannelConfigurationError

if TYPE_CHECKING:
    from .host import AgentFrameworkHost

_DEFAULTS: Mapping[str, Any] = {
    "graceful_timeout": 30.0,
    "keep_alive_timeout": 65.0,
    "keep_alive_max_requests": 100_000,
    "backlog": 1024,
    "websocket_ping_interval": 20.0,
    "include_server_header": False,
}


def serve(host: AgentFrameworkHost, address: str, port: int, config: Mapping[str, Any]) -> None:
    """Runs the host's app until SIGINT or SIGTERM; a second signal cuts at once.

    Raises:
        ChannelConfigurationError: The server is not installed, a setting is unknown, or several workers are asked for.
    """
    try:
        import hypercorn.asyncio
        from hypercorn.config import Config
    except ImportError as exc:
        raise ChannelConfigurationError(
            "the server is not installed; install hosting[serve], or run host.app on any ASGI server",
            field="serve",
        ) from exc
    settings = Config()
    settings.bind = [f"{address}:{port}"]
    for name, value in {**_DEFAULTS, **config}.items():
        if name == "workers" and value != 1:
            raise ChannelConfigurationError(
                "serve() runs one process; several workers are not available yet", field=name
            )
        if not hasattr(settings, name):
            raise ChannelConfigurationError("is no setting of Hypercorn's Config", field=name)
        setattr(settings, name, value)

    async def main() -> None:
        # Hypercorn's own annotations leave types open, and are narrower than Starlette's.
        run: Any = hypercorn.asyncio.serve  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        await run(host.app, settings, shutdown_trigger=_drain_at_signal(host))

    _loop_runner()(main())


def _drain_at_signal(host: AgentFrameworkHost) -> Any:
    async def trigger() -> None:
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()

        def on_signal() -> None:
            if asked.is_set():
                raise SystemExit(1)
            host.begin_drain()
            asked.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal)
        await asked.wait()

    return trigger


def _loop_runner() -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run
