"""What one rule is about, in words; and how to challenge it."""

from __future__ import annotations

from .levels import levels, read_level
from .registry import UnknownRule, catalogue, defects, written_rules
from .report.environment import Environment


def explain(id: str) -> str:
    """Text, reason, needs, clauses, levels and the defects that it finds.

    Raises:
        UnknownRule: There is no such rule.
    """
    if id not in catalogue():
        raise UnknownRule(f"no rule {id!r}; `hosting-testkit list` shows all")
    text = catalogue()[id]
    rule = written_rules().get(id)
    inside = [name for name in levels() if id in read_level(name).rules]
    lines = [
        f"{id} [{text.level}, tier {text.tier}] {text.text}",
        f"  why      {rule.why}" if rule else "  not written yet",
        f"  needs    {', '.join(rule.needs) or 'nothing' if rule else text.needs}",
        f"  clauses  {', '.join(text.clauses)}",
        f"  levels   {', '.join(inside) or 'none: reported outside the score'}",
    ]
    if rule and rule.provisional:
        lines.append(f"  waits    {rule.provisional}")
    lines += [f"  finds    {mutant}: {defects()[mutant][0]}" for mutant in text.mutants]
    return "\n".join(lines)


def challenge(id: str, evidence: str = "") -> str:
    """A report against a rule, ready to be filled in and sent; accepted ones go on the level's exclude list.

    Args:
        id: The rule.
        evidence: The failure's text, if there is one.

    Raises:
        UnknownRule: There is no such rule.
    """
    where = Environment.here()
    return "\n".join(
        [
            f"# Challenge of {id}",
            "",
            f"kit {where.kit}, {where.python}",
            "",
            "```",
            explain(id),
            "```",
            "",
            "## What the channel does",
            "",
            "(the exchange on the wire; why a client or a person is served well by it)",
            "",
            "## Why the contract allows it",
            "",
            f"(quote the clause: {', '.join(catalogue()[id].clauses)})",
            "",
            "## What the kit said",
            "",
            "```",
            evidence or f"(pytest --conformance NAME --conformance-rule {id})",
            "```",
            "",
        ]
    )
