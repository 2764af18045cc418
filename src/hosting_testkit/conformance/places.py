"""Where in the author's own files a channel is written, with nothing of the machine's paths."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hosting import ChannelContribution


def first_endpoint(contributions: Sequence[ChannelContribution]) -> str:
    """`file:line` of the first contributed endpoint, if it is below the working directory; else ""."""
    endpoints = (getattr(route, "endpoint", None) for one in contributions for route in one.routes)
    return next((place for endpoint in endpoints if endpoint and (place := place_of(endpoint))), "")


def place_of(thing: Any) -> str:
    """`file:line` of a function or class, if it has a source below the working directory; else ""."""
    found = inspect.unwrap(getattr(thing, "__func__", thing))
    if not (inspect.isfunction(found) or inspect.isclass(found)):
        return ""
    path = inspect.getsourcefile(found)
    if path is None or not Path(path).resolve().is_relative_to(Path.cwd()):
        return ""
    try:
        line = inspect.getsourcelines(found)[1]
    except OSError:  # typed in, such as in a notebook
        return ""
    return f"{Path(path).resolve().relative_to(Path.cwd()).as_posix()}:{line}"
