"""Runs rules against a channel. Knows nothing of pytest; every front end calls this."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..clock import DeadlockError, run_virtual
from ..drivers.base import ChannelDriver
from .guard import no_network
from .kit import DriverFactory, Kit
from .logs import captured_logs
from .model import Check, ItemResult, RuleStopped, Verdict
from .registry import Rule, UnknownRule, catalogue, written_rules
from .report.model import Report
from .timecap import ItemTimeout, real_time_cap

ITEM_SECONDS = 10.0
"""Real seconds that one item may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rules to run.

    Args:
        tier: Highest tier; 0 is the smoke set.
        patterns: Ids or globs such as `HC-STREAM-*`; none means all.
    """

    tier: int = 1
    patterns: Sequence[str] = ()

    def rules(self) -> list[Rule]:
        """The written rules that are meant, in catalogue order.

        Raises:
            UnknownRule: A pattern matches no rule of the catalogue, or none that is written in this tier.
        """
        chosen = [
            rule for rule in written_rules().values() if rule.text.in_tier(self.tier) and self._names(rule.id)
        ]
        for pattern in self.patterns:
            if not any(fnmatchcase(id, pattern) for id in catalogue()):
                raise UnknownRule(f"no rule matches {pattern!r}; `hosting-testkit list` shows all")
        if not chosen:
            raise UnknownRule(f"no rule that is written matches {list(self.patterns)} up to tier {self.tier}")
        return chosen

    def _names(self, id: str) -> bool:
        return not self.patterns or any(fnmatchcase(id, pattern) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Item:
    """One rule on one transport."""

    rule: Rule
    variant: str

    @property
    def id(self) -> str:
        """As in `ItemResult.id`."""
        return f"{self.rule.id}@{self.variant}"


def items_of(driver: type[ChannelDriver] | ChannelDriver, selection: Selection) -> Iterator[Item]:
    """The items of a run, in an order that never changes."""
    variants = driver.capabilities.variants or ("none",)
    for rule in selection.rules():
        for variant in variants[:1] if rule.once else variants:
            yield Item(rule, variant)


def run(factory: DriverFactory, selection: Selection | None = None) -> Report:
    """Runs the selected rules on a channel, one after the other, each in surroundings of its own.

    Raises:
        UnknownRule: The selection matches nothing.
    """
    selection = selection or Selection()
    driver = factory()
    results = [run_item(factory, item) for item in items_of(driver, selection)]
    return Report.of(driver, results, tier=selection.tier)


def check_channel(factory: DriverFactory, *patterns: str, tier: int = 1) -> Report:
    """`run` for a notebook or a debugger: `check_channel(MyDriver, "HC-STREAM-*").raise_for_failures()`."""
    return run(factory, Selection(tier=tier, patterns=patterns))


def run_item(factory: DriverFactory, item: Item, *, cap: float = ITEM_SECONDS) -> ItemResult:
    """Runs one rule on one transport in a fresh virtual loop and context, with no network.

    Args:
        factory: Makes the driver.
        item: What to run.
        cap: Real seconds that it may take.
    """
    driver = factory()
    standing = standing_of(item, driver)
    if standing is not None:
        return standing
    started = time.perf_counter()
    kit = Kit(factory, item.variant)
    verdict, reason = copy_context().run(_outcome, kit, item.rule, cap)
    if unstable := [need for need in item.rule.needs if driver.capabilities[need].state == "unstable"]:
        verdict, reason = _unscored(verdict, reason, unstable)
    return ItemResult(
        rule=item.rule.id,
        variant=item.variant,
        verdict=verdict,
        reason=reason,
        checks=tuple(kit.checks),
        log=kit.log.tail(),
        seconds=time.perf_counter() - started,
        virtual_seconds=kit.virtual_seconds,
    )


def standing_of(item: Item, driver: ChannelDriver) -> ItemResult | None:
    """The verdict of an item that does not run at all, or None."""
    if item.rule.provisional:
        return _not_run(item, Verdict.PROVISIONAL, item.rule.provisional)
    for need in item.rule.needs:
        claim = driver.capabilities[need]
        if claim.absent:
            return _not_run(
                item, Verdict.NOT_APPLICABLE, f"{need} {claim.state}: {claim.reason or 'no reason given'}"
            )
        if claim.state == "unknown":
            text = f"the driver does not declare {need!r}; say SUPPORTED, NOT_IMPLEMENTED(reason) or IMPOSSIBLE(reason)"
            return _not_run(item, Verdict.UNPROVEN, text)
    return None


def _unscored(verdict: Verdict, reason: str, unstable: Sequence[str]) -> tuple[Verdict, str]:
    """What a rule says of an unstable capability is told and does not count."""
    if verdict is Verdict.HARNESS_ERROR:
        return verdict, reason
    return Verdict.PROVISIONAL, f"{', '.join(unstable)} declared unstable; the rule ended {verdict}"


def _not_run(item: Item, verdict: Verdict, reason: str) -> ItemResult:
    return ItemResult(rule=item.rule.id, variant=item.variant, verdict=verdict, reason=reason)


def _outcome(kit: Kit, rule: Rule, cap: float) -> tuple[Verdict, str]:
    try:
        with real_time_cap(cap), no_network(), captured_logs(kit.logs, kit.log):
            run_virtual(_body, kit, rule)
    except RuleStopped as stopped:
        return stopped.verdict, str(stopped)
    except DeadlockError as hang:
        return Verdict.FAIL, f"hung: {hang}"
    except ItemTimeout as timeout:
        return Verdict.FAIL, str(timeout)
    except Exception:
        return Verdict.HARNESS_ERROR, f"the kit itself failed; please report:\n{traceback.format_exc()}"
    return _verdict(kit.checks)


async def _body(kit: Kit, rule: Rule) -> None:
    try:
        await rule.body(kit)
    finally:
        await kit.aclose()


def _verdict(checks: Sequence[Check]) -> tuple[Verdict, str]:
    broken = [check.name for check in checks if not check.ok]
    if broken:
        return Verdict.FAIL, f"{len(broken)} of {len(checks)} checks failed: {'; '.join(broken)}"
    if all(check.control for check in checks):
        return Verdict.UNPROVEN, "nothing was checked"
    return Verdict.PASS, ""
