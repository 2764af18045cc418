"""A simulator says no."""

from __future__ import annotations


class Refusal(Exception):
    """The platform refuses a call.

    Attributes:
        code: Which refusal, as the simulator's list of behaviours names it.
        status: The HTTP status of the answer.
        retry_after: Seconds until it may work, if time helps.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retry_after = retry_after
