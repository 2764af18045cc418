"""What rules are and what becomes of them: data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Level = Literal["MUST", "SHOULD", "MAY"]
Kind = Literal["D", "S", "T", "R", "I"]


class Verdict(StrEnum):
    """How one rule ended on one transport (conformance-kit 4.3).

    `expected-fail`: it failed as the ledger says. `unexpected-pass`: the ledger says that it fails, and it does not.
    `unproven`: a prerequisite is missing, so nothing was shown either way. `inconclusive`: a sampled rule never
    reached the state that it tests. `not-applicable`: the driver declares the capability absent. `provisional`:
    outside the score; `provisional-fail`: outside the score, and failed. `harness-error`: the kit itself broke.
    """

    PASS = "pass"
    FAIL = "fail"
    EXPECTED_FAIL = "expected-fail"
    UNEXPECTED_PASS = "unexpected-pass"
    UNPROVEN = "unproven"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not-applicable"
    PROVISIONAL = "provisional"
    PROVISIONAL_FAIL = "provisional-fail"
    HARNESS_ERROR = "harness-error"

    @property
    def bad(self) -> bool:
        """A run with this verdict in it is not conformant, if the rule is binding."""
        return self in _BAD

    @property
    def ran(self) -> bool:
        """It counts as run; the rest stands outside."""
        return self not in _OUTSIDE


_BAD = frozenset(
    {
        Verdict.FAIL,
        Verdict.UNEXPECTED_PASS,
        Verdict.UNPROVEN,
        Verdict.INCONCLUSIVE,
        Verdict.HARNESS_ERROR,
    }
)
_OUTSIDE = frozenset({Verdict.NOT_APPLICABLE, Verdict.PROVISIONAL, Verdict.PROVISIONAL_FAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A rule as the contract states it, written or not.

    Args:
        id: `HC-AREA-NNN`, never reused.
        tier: 1 to 3; the order of building.
        smoke: Part of the smoke set, which an author runs on save.
        level: How binding it is.
        kind: D deterministic, S sampled with pinned examples, T virtual time, R real server, I inspection.
        needs: The capabilities it needs, in words.
        host_feature: The host feature that must exist before it can run.
        clauses: What it checks in the contract.
        text: The law, as seen from outside the channel.
        mutants: Defects that it must find.
    """

    id: str
    tier: int
    smoke: bool
    level: Level
    kind: Kind
    needs: str
    host_feature: str
    clauses: Sequence[str]
    text: str
    mutants: Sequence[str]

    @property
    def area(self) -> str:
        """The middle part of the id."""
        return self.id.split("-")[1]

    def in_tier(self, tier: int) -> bool:
        """Whether a run up to `tier` holds it; 0 is the smoke set."""
        return self.smoke if tier == 0 else self.tier <= tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One observation of a rule.

    Args:
        name: What was looked at, in a few words.
        ok: What was expected was observed.
        expected: In words or as a value.
        observed: What was seen instead.
        control: A positive control: if it fails, the rule proves nothing.
    """

    name: str
    ok: bool
    expected: Any = None
    observed: Any = None
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRecord:
    """One thing that crossed a wire, secrets masked.

    Args:
        at: Virtual seconds since the item began.
        connection: Number of the connection in the item, from 1.
        side: `channel` for what was sent to the channel, `platform` for what the channel sent out.
        kind: `request`, `request-body`, `response`, `response-body`, `message-in`, `message-out`, `accepted`,
            `closed`, `disconnected`, `failed`.
        text: The line, or the body as text, cut where it is long.
        headers: As sent, where the kind has any.
    """

    at: float
    connection: int
    side: Literal["channel", "platform"]
    kind: str
    text: str = ""
    headers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """How one rule ended on one transport.

    Args:
        rule: The rule's id.
        variant: The transport.
        verdict: How it ended.
        reason: Why, in a sentence, for everything but a pass.
        checks: What was observed, in order.
        log: The event log, one line each.
        wire: What crossed the wires, one record each; see `wiretap`.
        binding: False for a SHOULD outside strict mode: its failure is told and does not count.
        listed: The ledger entry that speaks of it, as text.
        cause: Id of the item that it most likely follows from.
        source: Where the channel's first endpoint is written, `file:line` below the working directory; failures only.
        seconds: Real time.
        virtual_seconds: Time that passed for the channel.
    """

    rule: str
    variant: str
    verdict: Verdict
    reason: str = ""
    checks: Sequence[Check] = ()
    log: Sequence[str] = ()
    wire: Sequence[WireRecord] = ()
    binding: bool = True
    listed: str = ""
    cause: str = ""
    source: str = ""
    seconds: float = 0.0
    virtual_seconds: float = 0.0

    @property
    def bad(self) -> bool:
        """It makes the run fail."""
        return self.verdict.bad and (self.binding or self.verdict is Verdict.HARNESS_ERROR)

    @property
    def broken(self) -> Sequence[Check]:
        """The checks that did not hold, controls apart."""
        return [check for check in self.checks if not check.ok and not check.control]

    @property
    def id(self) -> str:
        """`HC-AREA-NNN@transport`; no brackets, since pytest reads them as parameters."""
        return f"{self.rule}@{self.variant}"


class RuleStopped(Exception):
    """Ends a rule's body early; `verdict` and the text say how."""

    verdict = Verdict.HARNESS_ERROR


class Unproven(RuleStopped):
    """A control failed or the driver lacks a hook: nothing was shown either way."""

    verdict = Verdict.UNPROVEN


class Inconclusive(RuleStopped):
    """A sampled rule never reached the state that it tests."""

    verdict = Verdict.INCONCLUSIVE


class Failed(RuleStopped):
    """The channel broke the rule in a way that leaves nothing more to check."""

    verdict = Verdict.FAIL
