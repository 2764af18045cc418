"""Finds the host that `MODULE:HOST` names, and says what is wrong in one line."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Callable

from ..errors import ChannelConfigurationError
from ..host import AgentFrameworkHost
from ..state.errors import StateError

LEVELS = ("debug", "info", "warning", "error")


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


def exit_code(command: Callable[[], int]) -> int:
    """Runs a command: its own code, 2 for what the user must change in code or options, 1 for what the machine refuses."""
    try:
        return command()
    except ChannelConfigurationError as error:
        code, said = 2, str(error)
    except StateError as error:
        code, said = 1, str(error)
    except OSError as error:
        code, said = 1, error.strerror or str(error)
    print(f"hosting: {said}", file=sys.stderr)
    return code


def log_to_stderr(level: str, *, with_process: bool = False) -> None:
    """Log lines of this process."""
    process = "[%(process)d] " if with_process else ""
    logging.basicConfig(level=level.upper(), format=f"%(levelname)s {process}%(name)s: %(message)s")
