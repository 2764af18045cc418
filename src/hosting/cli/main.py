"""`hosting serve module:host --port 8000`."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from ..errors import ChannelConfigurationError
from ..host import AgentFrameworkHost


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0, or 2 for what the user must change."""
    parser = argparse.ArgumentParser(
        prog="hosting", description="Serve an agent or workflow through many channels."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve a host in this process")
    serve.add_argument(
        "host_path", metavar="MODULE:HOST", help="where the AgentFrameworkHost, or its factory, is"
    )
    serve.add_argument("--bind", default="127.0.0.1", help="address to bind (%(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to bind (%(default)s)")
    parsed = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        load_host(parsed.host_path).serve(parsed.bind, parsed.port)
    except ChannelConfigurationError as exc:
        print(f"hosting: {exc}", file=sys.stderr)
        return 2
    return 0


def load_host(path: str) -> AgentFrameworkHost:
    """The host that `module:name` names, or that the callable there returns.

    Raises:
        ChannelConfigurationError: There is no such module or name, or it holds something else.
    """
    module_name, _, name = path.partition(":")
    if not name:
        raise ChannelConfigurationError(
            f"found {path!r}, expected MODULE:HOST, such as app:host", field="serve"
        )
    if os.getcwd() not in sys.path:  # noqa: PTH109  # sys.path holds plain strings
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        found = getattr(importlib.import_module(module_name), name)
    except ModuleNotFoundError as exc:
        if exc.name != module_name:
            raise
        raise ChannelConfigurationError(f"there is no module {module_name!r} here", field="serve") from exc
    except AttributeError as exc:
        raise ChannelConfigurationError(f"module {module_name!r} has no {name!r}", field="serve") from exc
    host = found() if callable(found) and not isinstance(found, AgentFrameworkHost) else found
    if not isinstance(host, AgentFrameworkHost):
        raise ChannelConfigurationError(
            f"{path} is a {type(host).__name__}, expected an AgentFrameworkHost", field="serve"
        )
    return host
