"""The sum of a run. Every rule of the level stands in exactly one column; nothing is green by absence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hosting import CONTRACT

from ...drivers.capabilities import Claim, Profile
from ..cascade import with_causes
from ..levels import Level
from ..model import ItemResult, Verdict
from ..registry import catalogue
from ..selection import Selection

if TYPE_CHECKING:
    from ...drivers.base import ChannelDriver
    from ..terms import Terms

_WORST_FIRST = (
    Verdict.HARNESS_ERROR,
    Verdict.FAIL,
    Verdict.UNEXPECTED_PASS,
    Verdict.UNPROVEN,
    Verdict.INCONCLUSIVE,
    Verdict.EXPECTED_FAIL,
    Verdict.PASS,
    Verdict.PROVISIONAL_FAIL,
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
        module: Where its driver is written.
        profile: The kind of channel that it claims to be.
        contract: Version of the host contract.
        level: What is scored; its rules are the denominator.
        selection: What was asked for.
        strict: A SHOULD counts.
        seed: As asked for; no search is random yet.
        transports: What the driver claims of transports.
        capabilities: What it claims besides.
        results: One for each item that was selected, in catalogue order.
    """

    channel: str
    module: str
    profile: Profile
    contract: str
    level: Level
    selection: Selection
    strict: bool = False
    seed: int | None = None
    transports: Mapping[str, Claim]
    capabilities: Mapping[str, Claim]
    results: Sequence[ItemResult]

    @classmethod
    def of(
        cls,
        driver: ChannelDriver,
        results: Sequence[ItemResult],
        *,
        terms: Terms,
        selection: Selection,
        seed: int | None = None,
    ) -> Report:
        """The report of a driver's channel."""
        order = {id: number for number, id in enumerate(catalogue())}
        return cls(
            channel=driver.name,
            module=type(driver).__module__,
            profile=driver.profile,
            contract=CONTRACT,
            level=terms.level,
            selection=selection,
            strict=terms.strict,
            seed=seed,
            transports=dict(driver.capabilities.transports),
            capabilities=dict(driver.capabilities.items()),
            results=with_causes(sorted(results, key=lambda result: (order[result.rule], result.variant))),
        )

    @property
    def by_rule(self) -> Mapping[str, Verdict]:
        """The worst verdict of each rule of the level over its transports."""
        return self._worst(inside=True)

    @property
    def provisional(self) -> Mapping[str, Verdict]:
        """The same of the rules outside the level."""
        return self._worst(inside=False)

    @property
    def in_level(self) -> int:
        """The denominator: rules of the level, run or not."""
        return len(self.level.scored)

    @property
    def missing(self) -> Sequence[str]:
        """Rules of the level that have no result; in a whole run there must be none."""
        return sorted(self.level.scored - self.by_rule.keys())

    @property
    def counts(self) -> Counter[Verdict]:
        """Rules of the level by verdict."""
        return Counter(self.by_rule.values())

    @property
    def advisory(self) -> int:
        """Rules that are a SHOULD and bad, where that does not count."""
        return sum(verdict.bad and not self._binding(rule) for rule, verdict in self.by_rule.items())

    @property
    def ran(self) -> int:
        """Rules of the level that ran."""
        return sum(verdict.ran for verdict in self.by_rule.values())

    @property
    def seconds(self) -> float:
        """Real time of all items."""
        return sum(result.seconds for result in self.results)

    @property
    def vacuous(self) -> str:
        """Why the run shows too little, in words; "" if it shows what was asked for."""
        applies = any(verdict is not Verdict.NOT_APPLICABLE for verdict in self.provisional.values())
        if not self.ran and not applies:
            return "NO RULE RAN, so nothing is shown"
        if not self.selection.whole:
            return ""
        if self.missing:
            return f"{len(self.missing)} rules of level {self.level.name} did not run: {', '.join(self.missing[:5])}"
        least = self.level.minimum(self.profile)
        if self.ran < least:
            return f"{self.ran} rules ran, the profile {self.profile!r} asks for {least} at least"
        return ""

    @property
    def passed(self) -> bool:
        """What was asked for ran, and nothing of it is bad."""
        return self.exit_code == 0

    @property
    def conformant(self) -> bool:
        """The whole level was run, and nothing is bad."""
        return self.passed and self.selection.whole

    @property
    def outcome(self) -> str:
        """The same in words."""
        return "conformant" if self.conformant else "passed in part" if self.passed else "NOT CONFORMANT"

    @property
    def exit_code(self) -> int:
        """0 passed, 1 not conformant, 3 the kit broke, 4 too little ran."""
        if any(result.verdict is Verdict.HARNESS_ERROR for result in self.results):
            return 3
        if self.bad:
            return 1
        return 4 if self.vacuous else 0

    @property
    def bad(self) -> Sequence[ItemResult]:
        """The items that make the run fail."""
        return [result for result in self.results if result.bad]

    def raise_for_failures(self) -> None:
        """Does nothing if all that was asked for passed.

        Raises:
            NotConformant: It did not, or too little ran.
        """
        if not self.passed:
            from .terminal import render

            raise NotConformant(render(self))

    def _worst(self, *, inside: bool) -> Mapping[str, Verdict]:
        seen: dict[str, set[Verdict]] = {}
        for result in self.results:
            if (result.rule in self.level.scored) is inside:
                seen.setdefault(result.rule, set()).add(result.verdict)
        return {id: next(v for v in _WORST_FIRST if v in verdicts) for id, verdicts in seen.items()}

    def _binding(self, rule: str) -> bool:
        return self.strict or catalogue()[rule].level == "MUST"
