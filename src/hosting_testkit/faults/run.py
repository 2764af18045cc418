"""A plan at work: counts calls, decides, and keeps what it did."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from .fault import INBOUND, AnyFault, Inbound, Outbound
from .plan import ANY, Calls, FaultPlan, Rule


@dataclass(frozen=True, slots=True)
class Applied:
    """A fault that happened.

    Args:
        operation: To what.
        call: To the how many-th call of that operation since the run began.
        fault: What.
    """

    operation: str
    call: int
    fault: AnyFault

    def __str__(self) -> str:
        return str(Rule(self.operation, Calls(self.call, self.call), self.fault))


class FaultRun:
    """One use of a plan, from its first call on. A rule that is added meanwhile counts calls from then on.

    Attributes:
        plan: The plan.
        applied: What happened, in order.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.applied: list[Applied] = []
        self._calls: Counter[str] = Counter()
        self._seen: Counter[int] = Counter()

    def outbound(self, operation: str) -> Outbound | None:
        """What goes wrong with this call to the platform; counts it."""
        self._calls[operation] += 1
        found: Outbound | None = None
        for fault in self._hits(operation, inbound=False):
            if found is None and not isinstance(fault, INBOUND):
                found = fault
                self.applied.append(Applied(operation, self._calls[operation], fault))
        return found

    def inbound(self, kind: str) -> list[Inbound]:
        """What goes wrong with this event, all of it; counts it."""
        self._calls[kind] += 1
        found = [fault for fault in self._hits(kind, inbound=True) if isinstance(fault, INBOUND)]
        self.applied += [Applied(kind, self._calls[kind], fault) for fault in found]
        return found

    def replay(self) -> FaultPlan:
        """A plan without chance that does again what this run did."""
        exact = [Rule(done.operation, Calls(done.call, done.call), done.fault) for done in self.applied]
        return FaultPlan(exact, seed=self.plan.seed)

    def _hits(self, operation: str, *, inbound: bool) -> list[AnyFault]:
        """The faults of every rule that hits; each rule that is about this operation counts the call."""
        hits: list[AnyFault] = []
        for index, rule in enumerate(self.plan.rules):
            if rule.on not in (ANY, operation) or isinstance(rule.fault, INBOUND) != inbound:
                continue
            self._seen[index] += 1
            if self._falls_on(rule.calls, index):
                hits.append(rule.fault)
        return hits

    def _falls_on(self, calls: Calls, index: int) -> bool:
        call = self._seen[index]
        if call < calls.first or (calls.last is not None and call > calls.last):
            return False
        return calls.chance >= 1 or self._dice(index, call) < calls.chance

    def _dice(self, index: int, call: int) -> float:
        """The same for the same seed, rule and call, whatever else happens in between."""
        return random.Random(f"{self.plan.seed}/{index}/{call}").random()
