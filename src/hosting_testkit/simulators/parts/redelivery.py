"""How often and when a platform sends an event again that was not acknowledged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RedeliveryPolicy:
    """What a platform promises about deliveries; data, so that a test can print it.

    Args:
        max_attempts: Attempts in all; then the platform gives up.
        backoff: Seconds before the second, third, ... attempt; the last one counts for all further ones.
        timeout: Seconds that an answer may take.
        retry_on: Statuses below 500 that are tried again, besides all 5xx; None: every status that is not 2xx.

    Raises:
        ValueError: No attempt, or no backoff for the further ones.
    """

    max_attempts: int = 5
    backoff: tuple[float, ...] = (1.0, 5.0, 25.0, 125.0)
    timeout: float = 10.0
    retry_on: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts: found {self.max_attempts}, expected at least 1")
        if self.max_attempts > 1 and not self.backoff:
            raise ValueError("backoff: found none, expected the seconds before the second attempt")

    def wait(self, attempt: int, status: int | None) -> float | None:
        """Seconds to wait after `attempt` (the first is 1) failed with `status` (None: no answer).

        Returns:
            None if the platform gives up.
        """
        if attempt >= self.max_attempts or not self._again(status):
            return None
        return self.backoff[min(attempt, len(self.backoff)) - 1]

    def _again(self, status: int | None) -> bool:
        return self.retry_on is None or status is None or status >= 500 or status in self.retry_on


ONCE = RedeliveryPolicy(max_attempts=1, backoff=())
"""A platform that never sends an event again."""
