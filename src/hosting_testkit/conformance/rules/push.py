"""HC-PUSH: delivery without an open request."""

from __future__ import annotations

from ..kit import Kit
from ..model import Unproven
from ..registry import rule


@rule(
    "HC-PUSH-001",
    needs=["push"],
    why="a reminder must reach the thread it was asked for in, also after a restart",
    provisional="waits for host.push (contract 1.8, 10.4)",
)
async def push_needs_no_request(k: Kit) -> None:
    """Not written before the host can push."""
    raise Unproven("host.push does not exist yet")
