"""Token buckets on an injected clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hosting.clock import TimeSource


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in `seconds`; so many may come at once."""

    calls: int
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.calls < 1 or self.seconds <= 0:
            raise ValueError(
                f"found {self.calls} calls in {self.seconds} s, expected at least 1 in more than 0"
            )


class TokenBucket:
    """Starts full and fills at its rate."""

    def __init__(self, rate: Rate, clock: TimeSource) -> None:
        self._rate = rate
        self._clock = clock
        self._tokens = float(rate.calls)
        self._at = clock.monotonic()

    def wait(self) -> float:
        """Seconds until a token is there; 0 if there is one now. Takes none."""
        now, per_second = self._clock.monotonic(), self._rate.calls / self._rate.seconds
        self._tokens = min(float(self._rate.calls), self._tokens + (now - self._at) * per_second)
        self._at = now
        missing = 1 - self._tokens
        return missing / per_second if missing > 1e-9 else 0.0

    def take(self) -> None:
        """Takes one token, which must be there."""
        self._tokens -= 1


class RateLimiter:
    """Buckets by key: a call passes only if each of its buckets has a token, and then takes one of each."""

    def __init__(self, clock: TimeSource) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, Rate], TokenBucket] = {}

    def take(self, limits: Iterable[tuple[str, Rate | None]]) -> tuple[str, float] | None:
        """Takes one token of each `(key, rate)`; a rate of None is no limit.

        Returns:
            None if the call may pass, else the key that must wait longest and its seconds; then nothing is taken.
        """
        buckets = [(key, self._bucket(key, rate)) for key, rate in limits if rate is not None]
        waits = [(key, bucket.wait()) for key, bucket in buckets]
        longest = max(waits, key=lambda found: found[1], default=("", 0.0))
        if longest[1] > 0:
            return longest
        for _, bucket in buckets:
            bucket.take()
        return None

    def _bucket(self, key: str, rate: Rate) -> TokenBucket:
        found = self._buckets.get((key, rate))
        if found is None:
            found = self._buckets[key, rate] = TokenBucket(rate, self._clock)
        return found
