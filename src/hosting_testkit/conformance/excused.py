"""The checks that may stay although no seeded defect needs them, or no reference reaches them, each with its reason.

Few belong here. A check that a channel can break gets a mutant; one that adds nothing to another goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .written_checks import CheckCall

How = Literal["removed", "negated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """A dead check that is kept.

    Args:
        where: The rule's id for a check in its body, otherwise `module.function`, such as `err_bodies._refused`.
        check: A part of the check's text that only this check of the function has.
        how: `removed` when no mutant needs it, `negated` when no reference reaches it.
        reason: Why it stays.
    """

    where: str
    check: str
    how: How
    reason: str

    def means(self, check: CheckCall) -> bool:
        """Whether it is for this check."""
        return check.where == self.where and self.check in check.source

    def __str__(self) -> str:
        return f"{self.where}, {self.how}: no dead check needs the excuse {self.check!r}"


EXCUSES: tuple[Excuse, ...] = ()
