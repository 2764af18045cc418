"""Reads the host's option `checkpoint_location` (contract 1.1, 8.5)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

from ..errors import ChannelConfigurationError
from .checkpoint_folder import CheckpointFolder
from .checkpoint_place import CheckpointPlace
from .checkpoint_storage import AppCheckpoints

_STORAGE = ("save", "load", "delete", "list_checkpoint_ids")


def place_of(location: Any, *, workflow: str | None) -> CheckpointPlace | None:
    """The place that the option names; None for the host's store. Touches no file.

    Args:
        location: A folder's path, an object with core's `CheckpointStorage` shape, or None.
        workflow: Name of the workflow that is served; None for an agent.

    Raises:
        ChannelConfigurationError: It is neither, or no workflow is served.
    """
    if location is None:
        return None
    if workflow is None:
        raise _refused("the target is an agent, which has no checkpoints; leave the option out")
    if isinstance(location, str | os.PathLike):
        return CheckpointFolder(_folder(cast("str | os.PathLike[Any]", location)))
    if not isinstance(location, type) and all(callable(getattr(location, name, None)) for name in _STORAGE):
        return AppCheckpoints(location, workflow=workflow)
    raise _refused(
        f"found {type(location).__name__}, expected the path of a folder or an object with the methods of "
        f"agent_framework.CheckpointStorage ({', '.join(_STORAGE)})"
    )


def _folder(location: str | os.PathLike[Any]) -> Path:
    path: Any = os.fspath(location)
    if not isinstance(path, str) or not path.strip():
        raise _refused(f"found {path!r}, expected the path of a folder as text")
    if "://" in path:
        raise _refused(
            "found a URL, expected the path of a folder; pass a CheckpointStorage for other places"
        )
    return Path(path).absolute()


def _refused(message: str) -> ChannelConfigurationError:
    return ChannelConfigurationError(message, field="checkpoint_location")
