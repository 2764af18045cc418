"""Plans of what goes wrong when: data that can be printed, kept and replayed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

import msgspec

from .fault import (
    AnyFault,
    Burst,
    Delay,
    DeliverThenTimeout,
    Disconnect,
    Duplicate,
    Late,
    Malformed,
    Refuse,
    Reorder,
    Reply,
    Reset,
    Slow,
    Timeout,
    describe,
)

ANY = "*"
"""Stands for every operation."""

_FORMAT = 1


class Calls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which calls of an operation.

    Args:
        first: The first one, counted from 1 from when the rule was given.
        last: The last one; None: no end.
        chance: How likely each of them is hit.
    """

    first: int = 1
    last: int | None = None
    chance: float = 1.0

    def __str__(self) -> str:
        if self.last == self.first:
            which = f"call {self.first}"
        elif self.last is None:
            which = "every call" if self.first == 1 else f"calls from {self.first}"
        else:
            which = f"calls {self.first} to {self.last}"
        return which if self.chance == 1 else f"{which} with chance {self.chance:g}"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong with which calls of which operation (a method of the platform, or a kind of event)."""

    on: str
    calls: Calls
    fault: AnyFault

    def __str__(self) -> str:
        return f"on {self.on}, {self.calls}: {describe(self.fault)}"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    seed: int
    rules: list[Rule]


class FaultPlan:
    """Rules in order; for calls to the platform the first one that fits counts, for events all of them do.

    `plan.on("sendMessage").nth(2).reply(429, retry_after=3)`; `print(plan)`; `FaultPlan.from_json(plan.to_json())`.

    Args:
        rules: The rules to begin with.
        seed: Decides what chance decides.
    """

    def __init__(self, rules: Iterable[Rule] = (), *, seed: int = 0) -> None:
        self.rules: list[Rule] = list(rules)
        self.seed = seed

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FaultPlan):
            return NotImplemented
        return (self.rules, self.seed) == (other.rules, other.seed)

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # rules may be added

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}", *map(str, self.rules)])

    def __repr__(self) -> str:
        return f"FaultPlan.from_json({self.to_json()!r})"

    def on(self, operation: str = ANY) -> Occasion:
        """The beginning of a rule about an operation; nothing is added before its fault is named."""
        return Occasion(self, operation, Calls())

    def to_json(self) -> str:
        """The plan as text."""
        return msgspec.json.encode(_File(_FORMAT, self.seed, self.rules)).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The plan that `to_json` wrote.

        Raises:
            ValueError: It did not write that; the text says where.
        """
        file = msgspec.json.decode(text, type=_File)
        if file.format != _FORMAT:
            raise ValueError(f"format: found {file.format}, expected {_FORMAT}; write the plan again")
        return cls(file.rules, seed=file.seed)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When something goes wrong: every call unless told otherwise. Naming the fault adds the rule to the plan."""

    plan: FaultPlan
    operation: str
    calls: Calls

    def nth(self, n: int) -> Occasion:
        """The n-th call only; the first is 1."""
        return self._only(n, n)

    def first(self, n: int = 1) -> Occasion:
        """The first n calls."""
        return self._only(1, n)

    def after(self, n: int) -> Occasion:
        """All calls but the first n."""
        return self._only(n + 1, None)

    def always(self) -> Occasion:
        """Every call."""
        return self._only(1, None)

    def sometimes(self, chance: float) -> Occasion:
        """Each of these calls with that chance, as the plan's seed decides."""
        if not 0 <= chance <= 1:
            raise ValueError(f"chance: found {chance}, expected 0 to 1")
        return Occasion(self.plan, self.operation, msgspec.structs.replace(self.calls, chance=chance))

    def reply(self, status: int, *, retry_after: float | None = None, body: object = None) -> FaultPlan:
        """See `Reply`."""
        return self._add(Reply(status=status, retry_after=retry_after, body=body))

    def timeout(self, *, after: float | None = None) -> FaultPlan:
        """See `Timeout`."""
        return self._add(Timeout(after=after))

    def deliver_then_timeout(self, *, after: float | None = None) -> FaultPlan:
        """See `DeliverThenTimeout`."""
        return self._add(DeliverThenTimeout(after=after))

    def reset(self, *, after_bytes: int = 0, takes_effect: bool = True) -> FaultPlan:
        """See `Reset`."""
        return self._add(Reset(after_bytes=after_bytes, takes_effect=takes_effect))

    def refuse(self) -> FaultPlan:
        """See `Refuse`."""
        return self._add(Refuse())

    def slow(self, *, bytes_per_second: float) -> FaultPlan:
        """See `Slow`."""
        return self._add(Slow(bytes_per_second=bytes_per_second))

    def delay(self, seconds: float) -> FaultPlan:
        """See `Delay`."""
        return self._add(Delay(seconds=seconds))

    def malformed(self, body: str | None = None, *, status: int = 200) -> FaultPlan:
        """See `Malformed`."""
        return self._add(Malformed(status=status) if body is None else Malformed(status=status, body=body))

    def duplicate(self, *, gap: float = 0.0, times: int = 1) -> FaultPlan:
        """See `Duplicate`."""
        return self._add(Duplicate(gap=gap, times=times))

    def reorder(self, *, window: float) -> FaultPlan:
        """See `Reorder`."""
        return self._add(Reorder(window=window))

    def late(self, seconds: float) -> FaultPlan:
        """See `Late`."""
        return self._add(Late(seconds=seconds))

    def burst(self, size: int, *, patience: float = 60.0) -> FaultPlan:
        """See `Burst`."""
        return self._add(Burst(size=size, patience=patience))

    def disconnect(self, *, at: Literal["mid-body", "before-answer"] = "mid-body") -> FaultPlan:
        """See `Disconnect`."""
        return self._add(Disconnect(at=at))

    def _only(self, first: int, last: int | None) -> Occasion:
        if first < 1 or (last is not None and last < first):
            raise ValueError(f"found calls {first} to {last}, expected numbers from 1 up")
        return Occasion(self.plan, self.operation, Calls(first, last, self.calls.chance))

    def _add(self, fault: AnyFault) -> FaultPlan:
        self.plan.rules.append(Rule(self.operation, self.calls, fault))
        return self.plan
