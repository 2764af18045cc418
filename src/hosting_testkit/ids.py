"""Ids that a test can predict."""

from __future__ import annotations

from collections import Counter


class SequentialIds:
    """A deterministic `IdSource`: each prefix counts from 1 (`resp_1`, `resp_2`, `msg_1`), tokens count too.

    Ids are as guessable as can be: for tests only.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def new(self, prefix: str) -> str:
        """The next id of that prefix."""
        self._counts[prefix] += 1
        return f"{prefix}_{self._counts[prefix]}"

    def token(self) -> str:
        """The next token: 32 hex digits, so that length and alphabet are those of a real one."""
        self._counts["token"] += 1
        return f"{self._counts['token']:032x}"
