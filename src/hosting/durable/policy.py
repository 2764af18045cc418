"""When a task is tried again (contract 11.2)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..channel import PushRetryable
from ..errors import HostingError

Random = Callable[[], float]
"""Gives a number from 0 to 1, evenly spread."""


class TaskRetryable(Exception):
    """Raised by a handler that wants another attempt.

    Args:
        message: For the log.
        retry_after: Seconds that the other side asked to wait; they win over the policy's own wait.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TaskRejected(Exception):
    """Raised by a handler whose task can never succeed: it is dead at once, however many attempts are left.

    Args:
        message: For the log.
        code: Stable name of the reason, kept with the task.
    """

    def __init__(self, message: str = "", *, code: str = "rejected") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, and after which waits, a task is tried; a server's `Retry-After` wins over the wait.

    Args:
        max_attempts: Tries in all, counted before they start: one that dies with its process counts, too.
        initial_backoff_seconds: Wait after the first try.
        backoff_multiplier: Growth of the wait per try.
        max_backoff_seconds: Longest wait.
        jitter: Whether a wait is shortened by up to half at random, so that what failed together is not tried together.

    Raises:
        ValueError: A number makes no sense.
    """

    max_attempts: int = 5
    initial_backoff_seconds: float = 1.0
    backoff_multiplier: float = 2.0
    max_backoff_seconds: float = 60.0
    jitter: bool = True

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                raise ValueError(
                    f"RetryPolicy.{name}: found {value!r}, expected a number of at least {least}"
                )

    def wait(self, attempt: int, retry_after: float | None = None, *, random: Random | None = None) -> float:
        """Seconds to wait after an attempt.

        Args:
            attempt: Number of the attempt that failed, the first being 1.
            retry_after: What the server asked for; it is taken as it is, up to a year.
            random: Source of the jitter; without one a wait is exact.
        """
        if retry_after is not None and math.isfinite(retry_after):
            return min(max(retry_after, 0.0), _YEAR)
        try:
            grown = self.initial_backoff_seconds * self.backoff_multiplier ** (attempt - 1)
        except OverflowError:
            grown = self.max_backoff_seconds
        wait = min(grown, self.max_backoff_seconds)
        return wait * (0.5 + 0.5 * random()) if self.jitter and random is not None else wait

    def to_dict(self) -> dict[str, Any]:
        """As JSON, as it is kept with a task."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> RetryPolicy:
        """What `to_dict` gave, also of a release with more or fewer fields."""
        return cls(**{item.name: kept[item.name] for item in fields(cls) if item.name in kept})


_YEAR = 31_536_000.0

_LEAST = {
    "max_attempts": 1,
    "initial_backoff_seconds": 0,
    "backoff_multiplier": 1,
    "max_backoff_seconds": 0,
}


def retry_after_of(error: BaseException) -> float | None:
    """The seconds that whoever refused asked to wait, where the exception carries them."""
    if isinstance(error, TaskRetryable | PushRetryable | HostingError):
        return error.retry_after
    return None
