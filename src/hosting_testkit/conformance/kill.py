"""Shows that rules find what they are for: runs every mutant against its rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .engine import items_of, run_item
from .model import ItemResult, Verdict
from .mutants import Mutant, mutants
from .registry import catalogue, written_rules
from .report.terminal import evidence_text
from .selection import Selection
from .signatures import Signature, traits

SEED = 2026
"""Kill runs are equal, so that what is written of them is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One mutant before one rule.

    Args:
        mutant: Who.
        rule: Before which rule.
        variant: On which transport.
        verdict: What the rule said.
        phrase: The words that its text must hold.
        text: What it held.
        result: What the text was made of.
    """

    mutant: Mutant
    rule: str
    variant: str
    verdict: Verdict
    phrase: str
    text: str
    result: ItemResult

    @property
    def signature(self) -> Signature:
        """What later failures are compared with."""
        checks, words = traits(self.result)
        return Signature(
            rule=self.rule,
            mutant=self.mutant.id,
            channel=self.mutant.driver.name,
            variant=self.variant,
            defect=self.mutant.defect,
            checks=checks,
            words=words,
        )

    @property
    def killed(self) -> bool:
        """The rule failed, or a control did, and said why."""
        return self.verdict in (Verdict.FAIL, Verdict.UNPROVEN) and says(self.text, self.phrase)


def says(text: str, phrase: str) -> bool:
    """Whether a failure's text holds a phrase, wherever its lines break."""
    return " ".join(phrase.split()) in " ".join(text.split())


def kill(mutant: Mutant) -> Iterator[Kill]:
    """Runs a mutant before each rule that must find it, on each transport."""
    for rule, phrase in mutant.kills.items():
        for item in items_of(mutant.driver(), Selection(patterns=[rule])):
            result = run_item(mutant.driver, item, seed=SEED)
            text = evidence_text(result, mutant.driver.name)
            yield Kill(
                mutant=mutant,
                rule=rule,
                variant=item.variant,
                verdict=result.verdict,
                phrase=phrase,
                text=text,
                result=result,
            )


def kill_table() -> str:
    """Which rule finds which defect, as Markdown. Made from what is declared; a test proves it by running."""
    lines = [
        "# What the rules find",
        "",
        "Each mutant is a reference channel, or its driver, with one defect. Each rule below must find its mutants:",
        "it has to fail (or, where a control breaks, end unproven), and its text has to hold the words shown.",
        "Made by `python -m conformance.kills`; a test compares it with the code and runs every row.",
        "",
        "| rule | mutant | defect | channel | words |",
        "|---|---|---|---|---|",
    ]
    found = mutants()
    for id in written_rules():
        lines += [
            f"| {id} | `{mutant.id}` | {mutant.defect} | {mutant.driver.name} | {mutant.kills[id]} |"
            for mutant in found
            if id in mutant.kills
        ]
    waiting = [f"`{name}` ({id})" for id, name in not_seeded()]
    lines += ["", f"Not seeded yet: {', '.join(waiting) or 'none'}.", ""]
    return "\n".join(lines)


def not_seeded() -> list[tuple[str, str]]:
    """Defects that a written rule must find and that no mutant has."""
    seeded = {(rule, mutant.id) for mutant in mutants() for rule in mutant.kills}
    return [
        (id, name) for id in written_rules() for name in catalogue()[id].mutants if (id, name) not in seeded
    ]
