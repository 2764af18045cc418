"""Limits and back-pressure of one host (contract 16)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from .errors import ChannelConfigurationError

TurnPolicy = Literal["queue", "reject", "interrupt"]
"""What a turn does that finds its session busy (contract 6.7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """What a host bounds, with its defaults (contract 16.1).

    Args:
        max_body_bytes: Largest request body in bytes; None leaves it to the channel (1 MiB, Responses 32 MiB).
        max_concurrent_runs: Target runs at once; taken after the session lock.
        run_queue: Turns that may wait for a run slot; past it 429.
        session_queue: Turns that may wait for one session; past it 429.
        turn_policy: What a turn does that finds its session busy.
        run_timeout: Seconds a foreground run may take.
        background_timeout: Seconds a background run may take.
        stream_buffer: Updates that may wait for a slow reader before the target is held.
        max_held_bytes: Bytes of a stream that may be held back for a response hook.
        write_timeout: Seconds after which a reader that takes nothing is gone.
        drain_timeout: Seconds that open turns, and sends under way, get to finish once draining began.
        keepalive: Seconds between keep-alives on an idle stream.
        turn_attempts: Times that one webhook turn is tried in all.
        session_cache: Live sessions kept in memory.
        session_ttl: Seconds without a turn after which a session is forgotten with its history; None keeps it. Told of
            the turns that come, not of sessions that rest already.
        background_ttl: Seconds that a finished background run can be read.

    Raises:
        ChannelConfigurationError: A value is not positive, or the policy is unknown.
    """

    max_body_bytes: int | None = None
    max_concurrent_runs: int = 100
    run_queue: int = 1_000
    session_queue: int = 16
    turn_policy: TurnPolicy = "queue"
    run_timeout: float = 600.0
    background_timeout: float = 3_600.0
    stream_buffer: int = 64
    max_held_bytes: int = 8 * 1024 * 1024
    write_timeout: float = 30.0
    drain_timeout: float = 5.0
    keepalive: float = 15.0
    turn_attempts: int = 3
    session_cache: int = 10_000
    session_ttl: float | None = None
    background_ttl: float = 86_400.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float) and value < (0 if item.name in _MAY_BE_ZERO else 1e-9):
                raise ChannelConfigurationError(
                    f"found {value!r}, expected a positive number", field=f"limits.{item.name}"
                )
        if self.turn_policy not in ("queue", "reject", "interrupt"):
            raise ChannelConfigurationError(
                f"found {self.turn_policy!r}, expected 'queue', 'reject' or 'interrupt'",
                field="limits.turn_policy",
            )

    def body_limit(self, default: int) -> int:
        """The largest body in bytes for a channel whose own default is `default`."""
        return default if self.max_body_bytes is None else self.max_body_bytes


_MAY_BE_ZERO = frozenset({"run_queue", "session_queue", "drain_timeout"})
