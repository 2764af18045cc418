"""The sum of a run. Every rule of the level stands in exactly one column; nothing is green by absence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...drivers.capabilities import Claim
from ..model import ItemResult, Verdict
from ..registry import catalogue, contract_level, written_rules

if TYPE_CHECKING:
    from ...drivers.base import ChannelDriver

_WORST_FIRST = (
    Verdict.HARNESS_ERROR,
    Verdict.FAIL,
    Verdict.UNPROVEN,
    Verdict.PASS,
    Verdict.PROVISIONAL,
    Verdict.NOT_APPLICABLE,
)


class NotConformant(AssertionError):
    """A run had a failure, something unproven, or nothing at all; the text is the whole report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of one channel.

    Args:
        channel: The channel's name.
        contract: Version of the contract.
        tier: Highest tier that was asked for; 0 is the smoke set.
        capabilities: What the driver claims.
        results: One for each item that was selected, in catalogue order.
    """

    channel: str
    contract: str
    tier: int
    capabilities: Mapping[str, Claim]
    results: Sequence[ItemResult]

    @classmethod
    def of(cls, driver: ChannelDriver, results: Sequence[ItemResult], *, tier: int) -> Report:
        """The report of a driver's channel."""
        return cls(
            channel=driver.name,
            contract=contract_level(),
            tier=tier,
            capabilities=dict(driver.capabilities.items()),
            results=tuple(results),
        )

    @property
    def by_rule(self) -> Mapping[str, Verdict]:
        """The worst verdict of each rule over its transports."""
        seen: dict[str, set[Verdict]] = {}
        for result in self.results:
            seen.setdefault(result.rule, set()).add(result.verdict)
        return {id: next(v for v in _WORST_FIRST if v in verdicts) for id, verdicts in seen.items()}

    @property
    def in_level(self) -> int:
        """Rules of the level: those that are written, up to the tier."""
        return sum(rule.text.in_tier(self.tier) for rule in written_rules().values())

    @property
    def not_written(self) -> int:
        """Rules of the contract up to the tier that have no body yet."""
        return sum(text.in_tier(self.tier) for text in catalogue().values()) - self.in_level

    @property
    def counts(self) -> Counter[Verdict]:
        """Rules by verdict."""
        return Counter(self.by_rule.values())

    @property
    def ran(self) -> int:
        """Rules that ran."""
        return sum(verdict.ran for verdict in self.by_rule.values())

    @property
    def seconds(self) -> float:
        """Real time of all items."""
        return sum(result.seconds for result in self.results)

    @property
    def conformant(self) -> bool:
        """At least one rule ran, and none is bad."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 conformant, 1 not conformant, 3 the kit broke, 4 no rule ran."""
        verdicts = set(self.by_rule.values())
        if Verdict.HARNESS_ERROR in verdicts:
            return 3
        if any(verdict.bad for verdict in verdicts):
            return 1
        return 0 if self.ran else 4

    @property
    def bad(self) -> Sequence[ItemResult]:
        """The items that make the run fail."""
        return [result for result in self.results if result.verdict.bad]

    def raise_for_failures(self) -> None:
        """Does nothing if the channel is conformant.

        Raises:
            NotConformant: It is not, or no rule ran.
        """
        if not self.conformant:
            from .terminal import render

            raise NotConformant(render(self))
