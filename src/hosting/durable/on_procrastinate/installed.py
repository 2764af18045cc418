"""Whether the extra is there."""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import ChannelConfigurationError


def require_procrastinate() -> None:
    """Raises `ChannelConfigurationError` where procrastinate or psycopg is not installed; names the extra."""
    missing = [name for name in ("procrastinate", "psycopg", "psycopg_pool") if _is_missing(name)]
    if missing:
        raise ChannelConfigurationError(
            f"{' and '.join(missing)} not installed; install hosting[procrastinate]",
            field="durable_task_runner",
        )


def _is_missing(name: str) -> bool:
    try:
        return find_spec(name) is None
    except ValueError:  # somebody has put None in its place
        return True
