"""`hosting serve MODULE:HOST`: in this process, or with `--workers N` in several behind one socket (contract 1.2)."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ChannelConfigurationError
from ..host import AgentFrameworkHost
from ..serve import bound, graceful_timeout, server_settings
from ..state.folder import FolderHold, new_group
from ..supervisor import Supervisor
from .loading import LEVELS, exit_code, load_host, log_to_stderr

if TYPE_CHECKING:
    from .new_channel import Commands

_LAST_WORK = 15.0
"""Seconds that a worker gets to finish its sends and to close its store, after its connections have ended."""

_PREDECESSOR = 0.05
"""Seconds between two looks at whether the processes that handed the folder over have ended."""


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("serve", help="serve a host")
    parser.add_argument(
        "host_path", metavar="MODULE:HOST", help="where the AgentFrameworkHost, or its factory, is"
    )
    parser.add_argument("--bind", default="127.0.0.1", help="address to bind (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to bind (%(default)s)")
    parser.add_argument(
        "--workers", type=_positive, default=1, metavar="N", help="processes that serve (%(default)s)"
    )
    parser.add_argument(
        "--log-level", default="info", choices=LEVELS, help="least severe records to show (%(default)s)"
    )
    parser.set_defaults(run=_serve)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {number}, expected at least 1")
    return number


def _serve(arguments: argparse.Namespace) -> int:
    log_to_stderr(arguments.log_level, with_process=arguments.workers > 1)
    serve = _in_one_process if arguments.workers == 1 else _in_several
    return exit_code(lambda: serve(arguments))


def _in_one_process(arguments: argparse.Namespace) -> int:
    load_host(arguments.host_path).serve(arguments.bind, arguments.port)
    return 0


def _in_several(arguments: argparse.Namespace) -> int:
    if sys.platform == "win32":
        raise ChannelConfigurationError(
            "several workers need a POSIX system; start several hosts on one PostgreSQL store instead",
            field="workers",
        )
    new_group()  # before the host is built, whose hold on its folder belongs to the group
    host = load_host(arguments.host_path)
    if not host.store.durable:
        raise ChannelConfigurationError(
            "several workers share their state through a durable store, and this one is in memory: give the host "
            "state_dir= or state=",
            field="workers",
        )
    hold: FolderHold | None = getattr(host.store, "hold", None)
    listener = _listener(host, arguments.bind, arguments.port)
    try:
        if hold is not None:
            hold.take()
            while hold.predecessor_drains:
                time.sleep(_PREDECESSOR)
        return asyncio.run(_supervised(host, hold, listener, arguments))
    finally:
        listener.close()
        if hold is not None:
            hold.release()


async def _supervised(
    host: AgentFrameworkHost, hold: FolderHold | None, listener: socket.socket, arguments: argparse.Namespace
) -> int:
    log = logging.getLogger("hosting.supervisor")
    address, port = listener.getsockname()[:2]
    log.info(
        "%d workers on http://%s:%d", arguments.workers, f"[{address}]" if ":" in address else address, port
    )
    supervisor = Supervisor(
        _worker_command(arguments.host_path, arguments.log_level),
        listener=listener,
        count=arguments.workers,
        grace=graceful_timeout(host.limits) + _LAST_WORK,
        draining=_nothing if hold is None else hold.hand_over,
        logger=log,
    )
    return await supervisor.run()


def _listener(host: AgentFrameworkHost, address: str, port: int) -> socket.socket:
    """The socket, bound as one process would bind it; connections wait in it while workers start."""
    settings: Any = server_settings(host.limits, {"bind": f"{address}:{port}"})
    (listener,) = bound(settings)
    listener.listen(settings.backlog)
    return listener


def _worker_command(host_path: str, level: str) -> Callable[[int, int, str | None], Sequence[str]]:
    def command(listener: int, link: int, after: str | None) -> Sequence[str]:
        worker = [sys.executable, "-m", "hosting.cli.worker", host_path, "--log-level", level]
        replaces = ["--after", after] if after else []
        return [*worker, "--listener", str(listener), "--link", str(link), *replaces]

    return command


def _nothing() -> None:
    return
