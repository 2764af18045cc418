"""Ends an item that goes round and round: by the number of turns of its loop, which is the same on every machine."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections import Counter
from types import CodeType, FrameType
from typing import Any, NoReturn

from ..suspension import suspended_at
from ..virtual_loop import VirtualLoop
from .own_lines import OwnLines, line_of
from .timecap import hush

AT_ONCE = 25_000
"""Turns of the loop while no virtual time passes; the busiest rule takes some six thousand on a good channel."""

IN_ALL = 1_000_000
"""Turns of the loop in one item; the busiest rule takes some fifty thousand on a good channel."""

LONGEST_WAIT = 3600.0
"""Virtual seconds that a rule may wait for the same thing; a rule that rests on purpose sleeps, and that is no waiting."""

_CLEANING = 5_000
_LOOK = 500
_SAMPLED = 200
_NAMED = 3
_PAUSES = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Endless(AssertionError):
    """The item has no end; the text says what runs again and again."""


class TurnCap:
    """Counts the turns of a loop, and in the last of them what runs.

    Args:
        lines: Tells the author's lines from others.
        at_once: Turns that it may take while no time passes.
        in_all: Turns that it may take.
    """

    def __init__(self, lines: OwnLines, *, at_once: int = AT_ONCE, in_all: int = IN_ALL) -> None:
        self._lines = lines
        self._at_once, self._in_all = at_once, in_all
        self._loop: VirtualLoop | None = None
        self._rule: asyncio.Task[Any] | None = None
        self._told = ""
        self._stands: tuple[str, ...] = ()
        self._since = 0.0
        self._instant = 0.0
        self._still = self._turns = 0
        self._ran: Counter[tuple[CodeType, int]] = Counter()
        self._sampling = False
        self._before: Any = None

    def watch(self, loop: VirtualLoop, rule: asyncio.Task[Any] | None = None) -> None:
        """Has `loop` tell of its turns; `rule` is the task that may not wait for ever."""
        self._loop, self._rule = loop, rule
        loop.watch_turns(self.turn)

    def turn(self) -> None:
        """One turn is over.

        Raises:
            Endless: It was one too many; some more are free, for what the item does to clean up.
        """
        now = self._loop.time() if self._loop else 0.0
        if now != self._instant:
            self._instant, self._still = now, 0
        self._still += 1
        self._turns += 1
        left = min(self._at_once - self._still, self._in_all - self._turns)
        if left == _SAMPLED:
            self._begin_sampling()
        elif self._sampling and not 0 < left < _SAMPLED:
            self.close()
        if left <= 0:
            self._give_up(self._text())
        if self._turns % _LOOK == 0 and self._waits_for_ever(
            now - (self._loop.advanced if self._loop else 0.0)
        ):
            self._give_up(self._waiting())

    def close(self) -> None:
        """Looks no longer at what runs."""
        if self._sampling:
            self._sampling = False
            sys.setprofile(self._before)

    def _give_up(self, text: str) -> NoReturn:
        self.close()
        self._still, self._turns, self._rule = 0, 0, None
        self._at_once = self._in_all = _CLEANING
        self._told = self._told or text
        hush(self._loop)
        raise Endless(self._told)

    def _waits_for_ever(self, now: float) -> bool:
        stands = suspended_at(self._rule) if self._rule is not None else ()
        if stands != self._stands or not stands or stands[-1].endswith(" in sleep"):
            self._stands, self._since = stands, now
        return now - self._since > LONGEST_WAIT

    def _waiting(self) -> str:
        tasks = asyncio.all_tasks(self._loop)
        found = sorted({line for task in tasks for line in self._lines.waiting(suspended_at(task))[-1:]})
        head = f"no end at {found[0]}" if found else "no end"
        told = f"nothing that the rule waits for has come in {LONGEST_WAIT:g} virtual seconds; meanwhile tasks wait at"
        return "\n".join([head, told, *(f"  {line}" for line in found)])

    def _begin_sampling(self) -> None:
        self._ran.clear()
        self._before = sys.getprofile()
        self._sampling = True
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code.co_flags & _PAUSES:  # it yields or waits, or has ended
            self._ran[frame.f_code, line_of(frame)] += 1

    def _text(self) -> str:
        if self._still >= self._at_once:
            told = f"{self._still} turns of the loop at {self._instant:g} virtual seconds, and no time passes"
        else:
            told = f"{self._turns} turns of the loop by {self._instant:g} virtual seconds"
        places = self._again_and_again()
        if not places:
            return f"no end: {told}"
        listed = [f"  {place} ({count} times)" for place, count in places]
        return "\n".join([f"no end at {places[0][0]}", f"{told}; in the last {_SAMPLED} of them:", *listed])

    def _again_and_again(self) -> list[tuple[str, int]]:
        """The author's lines at which something paused most often; of a library's, if there are no others."""
        closest = max((self._lines.closeness(code.co_filename) for code, _ in self._ran), default=0)
        own = [
            (self._lines.shown(code, line), count)
            for (code, line), count in self._ran.most_common()
            if self._lines.closeness(code.co_filename) == closest
        ]
        return own[:_NAMED]
