"""The report as text: what failed and why, then one line in which everything adds up."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from ..model import Check, ItemResult, Verdict
from ..registry import catalogue, contract_level, written_rules
from .model import Report

_WIDTH = 118
_SHOWN = 600


def render(report: Report, *, address: str | None = None) -> str:
    """Every bad item in full, then the sum; `address` as for `failure_text`."""
    parts = [failure_text(result, report.channel, address=address) for result in report.bad]
    return "\n\n".join([*parts, sum_line(report)])


def sum_line(report: Report) -> str:
    """`rpc @ 2026.1: 26 in level = 23 run + 2 n/a + 1 provisional; 23 pass, 0 FAIL, 0 unproven; 1.2 s`."""
    counts = report.counts
    columns = [
        f"{report.ran} run",
        f"{counts[Verdict.NOT_APPLICABLE]} n/a",
        f"{counts[Verdict.PROVISIONAL]} provisional",
    ]
    if deselected := report.in_level - len(report.by_rule):
        columns.append(f"{deselected} deselected")
    verdicts = [
        f"{counts[Verdict.PASS]} pass",
        f"{counts[Verdict.FAIL]} FAIL",
        f"{counts[Verdict.UNPROVEN]} unproven",
    ]
    if counts[Verdict.HARNESS_ERROR]:
        verdicts.append(f"{counts[Verdict.HARNESS_ERROR]} HARNESS ERROR")
    line = f"{report.channel} @ {report.contract}: {report.in_level} in level = {' + '.join(columns)}; "
    line += ", ".join(verdicts)
    if report.not_written:
        line += f"; {report.not_written} rules of this tier are not written yet"
    if not report.ran:
        line += "; NO RULE RAN, so nothing is shown"
    return f"{line}; {report.seconds:.1f} s"


def failure_text(result: ItemResult, channel: str, *, address: str | None = None) -> str:
    """One item: the rule, why it matters, what was done, expected and observed, and how to run it again.

    Args:
        result: The item.
        channel: The channel's name.
        address: What `--conformance` finds its driver by; its name if left out.
    """
    text = catalogue()[result.rule]
    rule = written_rules().get(result.rule)
    lines = [
        f"{result.rule} [{text.level}] {text.text}",
        f"  channel {channel}, variant {result.variant}, level {contract_level()}",
    ]
    if rule is not None:
        lines += _field("why", rule.why)
    lines += _field(str(result.verdict), result.reason)
    lines += _checks(result.checks)
    if result.log:
        lines += _field("log", "\n".join(result.log), fold=False)
    lines += _field("clauses", ", ".join(text.clauses))
    lines += _field("rerun", f"pytest --conformance {address or channel} --conformance-rule {result.rule}")
    return "\n".join(lines)


def _checks(checks: Sequence[Check]) -> list[str]:
    """Controls and what broke, in full; what held as a number."""
    shown = [line for check in checks if check.control or not check.ok for line in _check(check)]
    held = sum(check.ok and not check.control for check in checks)
    return [*shown, *(_field("did", f"{held} other checks: ok") if held else [])]


def _check(check: Check) -> list[str]:
    if check.ok:
        return _field("did", f"{check.name}: ok")
    lines = _field("did", f"{check.name}: {'CONTROL FAILED' if check.control else 'FAILED'}")
    if not check.control:
        lines += _field("expected", _shown(check.expected))
    return [*lines, *_field("observed", _shown(check.observed))]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _field(name: str, text: str, *, fold: bool = True) -> list[str]:
    lines = [
        line
        for paragraph in text.splitlines()
        for line in (textwrap.wrap(paragraph, _WIDTH - 12) if fold else [paragraph])
    ]
    first, *rest = lines or [""]
    return [f"  {name:<9} {first}".rstrip(), *(f"  {'':<9} {line}".rstrip() for line in rest)]
