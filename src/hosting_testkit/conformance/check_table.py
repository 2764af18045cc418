"""How many checks each rule has, and which of them are excused, as Markdown."""

from __future__ import annotations

from .excused import EXCUSES, Excuse
from .registry import Rule, written_rules
from .written_checks import CheckCall, checks_of

_HEAD = """# The checks of the rules

Each check of a rule is taken away in turn, and a seeded defect has to go unnoticed then; and each is turned into its
opposite, and a reference channel has to fail then. So none is there in vain, but for the excused ones below.
Made by `python -m conformance.dead_checks --write`, which writes this only if it finds no other; a test compares the
numbers with the code. A function that several rules share counts for each of them. Controls are only turned round: a
control shows that the ordinary case works, and removing it lets nothing pass that should not."""


def check_table() -> str:
    """The table, from what is written and excused; that it is true is shown by `dead_checks`."""
    rules = [rule for rule in written_rules().values() if not rule.provisional]
    checks = {rule.id: checks_of(rule) for rule in rules}
    written = {check for found in checks.values() for check in found}
    controls = sum(check.kind == "control" for check in written)
    lines = [
        _HEAD,
        "",
        f"{len(rules)} rules; {len(written) - controls} checks and {controls} controls as they are written.",
        "",
        "| rule | checks | controls | excused |",
        "|---|---|---|---|",
        *(_row(rule, checks[rule.id]) for rule in rules),
        "",
    ]
    return "\n".join(lines)


def _row(rule: Rule, checks: list[CheckCall]) -> str:
    controls = sum(check.kind == "control" for check in checks)
    excused = "; ".join(_excused(one) for one in EXCUSES if any(one.means(check) for check in checks))
    return f"| {rule.id} | {len(checks) - controls} | {controls} | {excused} |"


def _excused(excuse: Excuse) -> str:
    check = excuse.check.replace("|", "\\|")
    return f"{excuse.how} `{check}`: {excuse.reason}"
