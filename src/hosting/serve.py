"""Serves a host in this process on Hypercorn, and drains it at the signal (contract 1.2, 1.7)."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import ChannelConfigurationError
from .limits import HostLimits

if TYPE_CHECKING:
    from .host import AgentFrameworkHost

T = TypeVar("T")

_LAST_BYTES = 2.0
"""Seconds that connections get once the drain has ended their turns (contract 1.7)."""

_DEFAULTS: Mapping[str, Any] = {
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
        OSError: The address is in use, or is none of this machine.
    """
    settings = server_settings(host.limits, {"bind": f"{address}:{port}", **config})
    if not settings.ssl_enabled:  # before the host starts, so that it need not stop again
        settings.bind = [f"fd://{listener.detach()}" for listener in bound(settings)]
    _run(host, settings, lambda drain: None)


def serve_worker(host: AgentFrameworkHost, listener: int, link: int) -> None:
    """Runs the host's app on a socket that a supervisor bound, until a signal or the supervisor's end.

    Args:
        host: What to serve.
        listener: File descriptor of the socket.
        link: File descriptor of the link to the supervisor: the host's name goes out once it is served, the link's end comes in.
    """
    with socket.socket(fileno=link) as supervisor:
        supervisor.setblocking(False)

        def serving(drain: Callable[[], None]) -> None:
            supervisor.send(host.instance.encode() + b"\n")
            loop = asyncio.get_running_loop()

            def supervisor_is_gone() -> None:
                loop.remove_reader(supervisor)
                drain()

            loop.add_reader(supervisor, supervisor_is_gone)

        _run(host, server_settings(host.limits, {"bind": f"fd://{listener}"}), serving)


def server_settings(limits: HostLimits, config: Mapping[str, Any]) -> Any:
    """Hypercorn's settings: its own, over them the host's defaults (decision S5), over them `config`.

    Raises:
        ChannelConfigurationError: The server is not installed, a setting is unknown, or several workers are asked for.
    """
    try:
        from hypercorn.config import Config
    except ImportError as exc:
        raise ChannelConfigurationError(
            "the server is not installed; install hosting[serve], or run host.app on any ASGI server",
            field="serve",
        ) from exc
    settings = Config()
    if logging.getLogger().handlers:  # else Hypercorn's own handler says each line a second time
        settings.errorlog = logging.getLogger("hypercorn.error")
    settings.graceful_timeout = graceful_timeout(limits)
    for name, value in {**_DEFAULTS, **config}.items():
        if name == "workers" and value != 1:
            raise ChannelConfigurationError(
                "serve() runs one process; `hosting serve module:host --workers N` runs several", field=name
            )
        if not hasattr(settings, name):
            raise ChannelConfigurationError("is no setting of Hypercorn's Config", field=name)
        setattr(settings, name, value)
    return settings


def bound(settings: Any) -> list[socket.socket]:
    """The sockets without TLS that the settings name, bound.

    Raises:
        OSError: An address is in use, or is none of this machine; names what was to be bound.
    """
    try:
        return settings.create_sockets().insecure_sockets
    except OSError as error:
        detail = f"{', '.join(settings.bind)}: {error.strerror}; stop what listens there, or choose another address or port"
        raise OSError(error.errno, detail) from error


def graceful_timeout(limits: HostLimits) -> float:
    """Seconds that connections get before they are cut. Below the 30 s of decision S5: what is open once the drain has ended all turns,
    such as an idle WebSocket, would only hold the server (contract 1.7)."""
    return limits.drain_timeout + _LAST_BYTES


def run_in_loop(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end on uvloop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


def _run(host: AgentFrameworkHost, settings: Any, serving: Callable[[Callable[[], None]], None]) -> None:
    import hypercorn.asyncio
    from hypercorn.utils import LifespanFailureError

    async def main() -> None:
        # Hypercorn's own annotations leave types open, and are narrower than Starlette's.
        run: Any = hypercorn.asyncio.serve  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        await run(host.app, settings, shutdown_trigger=_drain_at_signal(host, serving))

    try:
        run_in_loop(main())
    except LifespanFailureError as failure:  # its text is the whole trace of what the host raised
        raise failure.__context__ or failure from None


def _drain_at_signal(host: AgentFrameworkHost, serving: Callable[[Callable[[], None]], None]) -> Any:
    async def trigger() -> None:
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()

        def on_signal() -> None:
            if asked.is_set():
                raise SystemExit(1)
            drain()

        def drain() -> None:
            host.begin_drain()
            asked.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal)
        serving(drain)
        await asked.wait()

    return trigger
