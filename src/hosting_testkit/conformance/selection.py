"""Which rules run: by tier, id, area and transport."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..drivers.base import ChannelDriver
from .registry import Rule, UnknownRule, catalogue, written_rules

WHOLE = 3
"""The highest tier: everything that is written."""


@dataclass(frozen=True, slots=True)
class Item:
    """One rule on one transport."""

    rule: Rule
    variant: str

    @property
    def id(self) -> str:
        """As in `ItemResult.id`."""
        return f"{self.rule.id}@{self.variant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rules to run.

    Args:
        tier: Highest tier; 0 is the smoke set.
        patterns: Ids or globs such as `HC-STREAM-*`; none means all.
        areas: Areas such as `AUTH`; none means all.
        variants: Transports; none means all.
    """

    tier: int = WHOLE
    patterns: Sequence[str] = ()
    areas: Sequence[str] = ()
    variants: Sequence[str] = ()

    @property
    def whole(self) -> bool:
        """Nothing was left out on purpose, so a rule that does not run is missing."""
        return self.tier == WHOLE and not (self.patterns or self.areas or self.variants)

    def rules(self) -> list[Rule]:
        """The written rules that are meant, in catalogue order.

        Raises:
            UnknownRule: A pattern or an area matches no rule of the catalogue, or none that is written in this tier.
        """
        for pattern in self.patterns:
            if not any(fnmatchcase(id, pattern) for id in catalogue()):
                raise UnknownRule(f"no rule matches {pattern!r}; `hosting-testkit list` shows all")
        known = {text.area for text in catalogue().values()}
        if unknown := set(self.areas) - known:
            raise UnknownRule(f"no area {sorted(unknown)}; known are {', '.join(sorted(known))}")
        chosen = [rule for rule in written_rules().values() if self._means(rule)]
        if not chosen:
            wanted = [*self.patterns, *self.areas]
            raise UnknownRule(f"no rule that is written matches {wanted} up to tier {self.tier}")
        return chosen

    def items(self, driver: type[ChannelDriver] | ChannelDriver) -> Iterator[Item]:
        """The items of a run, in an order that never changes; none if the driver has none of the transports meant.

        Raises:
            UnknownRule: As `rules`.
        """
        offered = driver.capabilities.variants or ("none",)
        variants = [name for name in offered if not self.variants or name in self.variants]
        for rule in self.rules():
            for variant in variants[:1] if rule.once else variants:
                yield Item(rule, variant)

    def _means(self, rule: Rule) -> bool:
        return (
            rule.text.in_tier(self.tier)
            and (not self.areas or rule.text.area in self.areas)
            and (not self.patterns or any(fnmatchcase(rule.id, pattern) for pattern in self.patterns))
        )
