"""The process of one server: `python -m benchmarks.serve APP SERVER [WHERE]`; writes its port to standard output."""

from __future__ import annotations

import signal
import socket
import sys
from typing import Any

import uvloop

from . import by_hand, hosted
from .pinning import pin, server_core

LIFETIME = 3_600
"""Seconds after which a server ends by itself, should nobody end it."""


def main() -> None:
    app_name, server, *where = sys.argv[1:]
    pin(server_core())
    signal.alarm(LIFETIME)
    app = by_hand.app if app_name == "by_hand" else hosted.build_app(app_name, where[0] if where else "")
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        print(listening.getsockname()[1], flush=True)
        if server == "uvicorn":
            _uvicorn(app, listening)
        else:
            _hypercorn(app, listening)


def _uvicorn(app: Any, listening: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listening])


def _hypercorn(app: Any, listening: socket.socket) -> None:
    """Hypercorn with the settings of `host.serve`, for both sides alike."""
    import hypercorn.asyncio
    from hypercorn.config import Config

    settings = Config()
    settings.bind = [f"fd://{listening.detach()}"]
    settings.keep_alive_timeout = 65.0
    settings.keep_alive_max_requests = 1_000_000
    settings.include_server_header = False
    settings.loglevel = "WARNING"
    serve: Any = hypercorn.asyncio.serve  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    uvloop.run(serve(app, settings))


if __name__ == "__main__":
    main()
