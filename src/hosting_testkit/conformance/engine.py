"""Runs rules against a channel. Knows nothing of pytest; every front end calls this."""

from __future__ import annotations

import asyncio
import secrets
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import closing
from contextvars import copy_context

from ..clock import DeadlockError, VirtualLoop, run_virtual
from ..drivers.base import ChannelDriver
from ..targets.gate import NotReached
from ..transports.transcript import Transcript, all_transcripts
from .census import clients_noted
from .endless import Endless, TurnCap
from .guard import no_network
from .kit import DriverFactory, Kit
from .logs import captured_logs
from .masking import Mask
from .model import Check, ItemResult, RuleStopped, Verdict
from .own_lines import OwnLines
from .places import first_endpoint
from .registry import Rule, written_rules
from .report.model import Report
from .report.terminal import evidence_text
from .scrubbed import scrubbed_environment
from .selection import WHOLE, Item, Selection
from .terms import Terms
from .timecap import CallbackCap, ItemTimeout, real_time_cap
from .unraised import unraisable_noted
from .wiretap import wire_records

BLOCK_SECONDS = 10.0
"""How long one step of an item's loop may compute, in processor time, or sleep."""

_ROOT = "HC-CAP-001"
"""A text goes in and an answer comes out."""

LOG_LINES = 200
"""Lines of an item's event log that are kept; the last ones."""


def items_of(driver: type[ChannelDriver] | ChannelDriver, selection: Selection) -> Iterator[Item]:
    """As `Selection.items`."""
    return selection.items(driver)


def run(
    factory: DriverFactory,
    selection: Selection | None = None,
    *,
    terms: Terms | None = None,
    seed: int | None = None,
) -> Report:
    """Runs the selected rules on a channel, one after the other, each in surroundings of its own.

    Args:
        factory: Makes the driver.
        selection: Which rules; all by default.
        terms: How results are judged; by default the newest level that the driver supports, without a ledger.
        seed: Makes the random texts of two runs equal; a fresh one by default, told in the report.

    Raises:
        LedgerError: The ledger lists an item that does not exist.
        UnknownRule: The selection matches nothing.
    """
    selection, driver = selection or Selection(), factory()
    seed = fresh_seed() if seed is None else seed
    terms = terms or Terms.of(driver)
    terms.ledger.check_collected({(driver.name, *key) for key in item_keys(driver)})
    raw = [run_item(factory, item, seed=seed) for item in selection.items(driver)]
    results = [judged(driver.name, result, terms) for result in raw]
    return Report.of(driver, results, terms=terms, selection=selection, seed=seed)


def check_channel(factory: DriverFactory, *patterns: str, tier: int = WHOLE) -> Report:
    """`run` for a notebook or a debugger: `check_channel(MyDriver, "HC-STREAM-*").raise_for_failures()`."""
    return run(factory, Selection(tier=tier, patterns=patterns))


def item_keys(driver: ChannelDriver) -> set[tuple[str, str]]:
    """Rule and transport of every item that there is for a driver."""
    return {(item.rule.id, item.variant) for item in Selection().items(driver)}


def judged(channel: str, result: ItemResult, terms: Terms) -> ItemResult:
    """A raw result as the terms see it."""
    return terms.judge(channel, result, lambda found: evidence_text(found, channel))


def fresh_seed() -> int:
    """A seed that nobody can guess."""
    return secrets.randbits(63)


def run_item(
    factory: DriverFactory, item: Item, *, cap: float = BLOCK_SECONDS, seed: int | None = None
) -> ItemResult:
    """Runs one rule on one transport in a fresh virtual loop and context, with no network.

    Args:
        factory: Makes the driver.
        item: What to run.
        cap: How long one step of its loop may compute, in seconds of processor time, or sleep.
        seed: Of the run; a fresh one by default.
    """
    driver = factory()
    standing = standing_of(item, driver)
    if standing is not None:
        return standing
    started = time.perf_counter()
    kit = Kit(factory, item.variant, seed=f"{fresh_seed() if seed is None else seed}/{item.id}")
    verdict, reason, opened = copy_context().run(
        _observed, kit, item.rule, CallbackCap(cap, OwnLines(type(driver)))
    )
    if unstable := [need for need in item.rule.needs if driver.capabilities[need].state == "unstable"]:
        verdict, reason = _unscored(verdict, reason, unstable)
    result = ItemResult(
        rule=item.rule.id,
        variant=item.variant,
        verdict=verdict,
        reason=reason,
        checks=tuple(kit.checks),
        log=kit.log.tail(LOG_LINES),
        wire=wire_records(opened),
        source=first_endpoint(kit.contributed) if verdict.bad else "",
        seconds=time.perf_counter() - started,
        virtual_seconds=kit.virtual_seconds,
    )
    known = {value: name for env in kit.envs for name, value in env.secrets.items()}
    return Mask(known, kit.nonces, {kit.place: "kit"}).result(result)


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
    for name in item.rule.unless:
        if driver.capabilities[name].runs:
            return _not_run(item, Verdict.NOT_APPLICABLE, f"{name} {driver.capabilities[name].state}")
    if item.rule.any_of and not any(driver.capabilities.has(name) for name in item.rule.any_of):
        return _not_run(item, Verdict.NOT_APPLICABLE, f"it has none of {', '.join(item.rule.any_of)}")
    return None


def _unscored(verdict: Verdict, reason: str, unstable: Sequence[str]) -> tuple[Verdict, str]:
    """What a rule says of an unstable capability is told and does not count."""
    if verdict is Verdict.HARNESS_ERROR:
        return verdict, reason
    outside = Verdict.PROVISIONAL_FAIL if verdict.bad else Verdict.PROVISIONAL
    return outside, f"{', '.join(unstable)} declared unstable; the rule ended {verdict}"


def _not_run(item: Item, verdict: Verdict, reason: str) -> ItemResult:
    return ItemResult(rule=item.rule.id, variant=item.variant, verdict=verdict, reason=reason)


def _observed(kit: Kit, rule: Rule, cap: CallbackCap) -> tuple[Verdict, str, Sequence[Transcript]]:
    with all_transcripts() as opened, clients_noted():
        return *_outcome(kit, rule, cap), opened


def _outcome(kit: Kit, rule: Rule, cap: CallbackCap) -> tuple[Verdict, str]:
    try:
        _run_body(kit, rule, cap)
    except RuleStopped as stopped:
        return stopped.verdict, str(stopped)
    except DeadlockError as hang:
        return Verdict.FAIL, f"hung: {cap.lines.in_short(str(hang))}"
    except (ItemTimeout, Endless) as unending:
        return Verdict.FAIL, str(unending)
    except NotReached as short:
        return Verdict.FAIL, f"the turn does not reach the target: {short}"
    except Exception as error:
        if rule.id != _ROOT and not _answers(kit.another(), cap):
            what = f"{type(error).__name__}: {error}"
            return (
                Verdict.UNPROVEN,
                f"an ordinary turn is not answered, see {_ROOT}; the rule ended with {what}",
            )
        return Verdict.HARNESS_ERROR, f"the kit itself failed; please report:\n{traceback.format_exc()}"
    return _verdict(kit.checks)


def _answers(kit: Kit, cap: CallbackCap) -> bool:
    """Whether the channel answers an ordinary turn; on one that does not, a rule can stumble over anything."""
    try:
        _run_body(kit, written_rules()[_ROOT], cap)
    except (Exception, ItemTimeout):
        return False
    return _verdict(kit.checks)[0] is Verdict.PASS


def _run_body(kit: Kit, rule: Rule, cap: CallbackCap) -> None:
    turns = TurnCap(cap.lines)
    with (
        real_time_cap(cap),
        closing(turns),
        scrubbed_environment(),
        no_network(),
        captured_logs(kit.logs, kit.log),
        unraisable_noted(kit.log.add),
    ):
        run_virtual(_body, kit, rule, cap, turns)


async def _body(kit: Kit, rule: Rule, cap: CallbackCap, turns: TurnCap) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    cap.watch(loop)
    turns.watch(loop, asyncio.current_task())
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
