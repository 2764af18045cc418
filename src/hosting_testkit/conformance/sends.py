"""One reply whose calls meet trouble: how often it was tried, what people saw, and what is on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..drivers.trouble import Trouble
from ..drivers.turn import Turn
from ..drivers.wire import Reply
from .replicas import Replica


@dataclass(frozen=True, slots=True)
class Sending:
    """What became of it.

    Args:
        reply: All that came out.
        tries: When a call met trouble, in loop time.
        recorded: How each reply to the turn ended, as the host's store has it.
    """

    reply: Reply
    tries: Sequence[float]
    recorded: Sequence[str | None]

    @property
    def waits(self) -> list[float]:
        """Seconds between two tries."""
        return [round(later - earlier, 3) for earlier, later in pairwise(self.tries)]

    def times(self, said: str) -> int:
        """In how many messages a text is seen in the end."""
        return sum(said in text for text in self.reply.texts)


async def sending(
    h: Replica,
    turn: Turn,
    troubles: Trouble | Iterable[Trouble],
    *,
    seconds: float,
    at: str = "",
    dies: bool = False,
) -> Sending:
    """Says a turn whose reply meets trouble, and looks at it after so many virtual seconds.

    Args:
        h: Where.
        turn: The turn.
        troubles: As for `Troubles.plan`.
        seconds: How long.
        at: The text in the calls that meet trouble; the turn's own by default.
        dies: The trouble ends the process; another one is started.
    """
    before, at = tuple(h.kept.deliveries), at or turn.text
    h.env.troubles.plan(at, troubles)
    async with h.open(h.inbound(turn)) as opened:
        await opened.finished()
        if dies:
            await h.host.revived()
        await h.rest(seconds)
        reply = await opened.reply()
    return Sending(reply, h.env.troubles.over(at), list(h.recorded(before).values()))
