"""On what terms a channel is judged: against which level, with which ledger, how strictly."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..drivers.base import ChannelDriver
from .ledger import Ledger, apply_ledger, read_ledger
from .levels import Level, newest_for, read_level
from .model import ItemResult, Verdict
from .registry import catalogue


class NotAdmitted(ValueError):
    """A driver that strict terms refuse before anything runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What turns a raw result into a verdict.

    Args:
        level: What is scored.
        ledger: Failures that the author knows of.
        strict: A SHOULD counts, every capability has to be declared.
        today: The day on which ledger entries are looked at.
    """

    level: Level
    ledger: Ledger = field(default_factory=Ledger)
    strict: bool = False
    today: datetime.date

    @classmethod
    def of(
        cls,
        driver: ChannelDriver,
        *,
        level: str = "",
        ledger: Path | None = None,
        strict: bool = False,
        today: datetime.date | None = None,
    ) -> Terms:
        """The terms for one channel.

        Args:
            driver: Its `contract` says which levels it supports.
            level: The level; by default the ledger's, or else the newest that the driver supports.
            ledger: A ledger file.
            strict: See above.
            today: By default the day of this machine, in UTC.

        Raises:
            LedgerError: The ledger cannot be used.
            NotAdmitted: The terms are strict and the driver leaves a capability undeclared.
            UnknownLevel: There is no such level.
        """
        listed = read_ledger(ledger, strict=strict) if ledger else Ledger()
        name = level or listed.level or newest_for(getattr(driver, "contract", ""))
        undeclared = [key for key, claim in driver.capabilities.items() if claim.state == "unknown"]
        if strict and undeclared:
            raise NotAdmitted(
                f"{driver.name}: strict needs every capability declared; missing are {', '.join(undeclared)}"
            )
        day = today or datetime.datetime.now(datetime.UTC).date()
        return cls(level=read_level(name), ledger=listed, strict=strict, today=day)

    def judge(self, channel: str, result: ItemResult, text: Callable[[ItemResult], str]) -> ItemResult:
        """The result as these terms see it; `text` gives the text in which a ledger's words are looked for."""
        binding = self.strict or catalogue()[result.rule].level == "MUST"
        result = replace(result, binding=binding)
        if result.rule not in self.level.scored:
            return self._outside(result)
        entries = self.ledger.for_item(channel, result.rule, result.variant)
        return apply_ledger(result, entries, text, self.today)

    def _outside(self, result: ItemResult) -> ItemResult:
        """A rule that is not in the level is told of and does not count."""
        if not result.verdict.ran or result.verdict is Verdict.HARNESS_ERROR:
            return result
        if reason := self.level.excluded.get(result.rule):
            told = f"excluded from level {self.level.name} by a challenge: {reason}"
            return replace(result, verdict=Verdict.PROVISIONAL, reason=told)
        if result.verdict is Verdict.PASS:
            told = f"passes; not in level {self.level.name}"
            return replace(result, verdict=Verdict.PROVISIONAL, reason=told)
        told = f"not in level {self.level.name}; ended {result.verdict}: {result.reason}"
        return replace(result, verdict=Verdict.PROVISIONAL_FAIL, reason=told)
