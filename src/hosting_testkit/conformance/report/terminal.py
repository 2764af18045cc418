"""The report as text: what failed and why, then one line in which everything adds up."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from ..model import Check, ItemResult, Verdict
from ..registry import catalogue, contract_level, written_rules
from ..signatures import diagnosis
from .model import Report

_WIDTH = 118
_SHOWN = 600
_LOG_LINES = 12
_COMPARED = 80  # characters of two long texts that differ


def render(report: Report, *, address: str | None = None, repro: str = "", trace: bool = False) -> str:
    """Every bad item in full, those that follow from another one as a line, then the sum and what it does not count.

    Args:
        report: What to tell.
        address: As for `failure_text`.
        repro: Folder of the scripts that were written, if they were.
        trace: With everything that crossed the wire.
    """
    shown = {result.id for result in report.bad}
    parts: list[str] = []
    for result in report.bad:
        if result.cause in shown:
            continue
        text = failure_text(
            result, report.channel, level=report.level.name, address=address, repro=repro, trace=trace
        )
        follows = [other for other in report.bad if other.cause == result.id]
        parts.append("\n".join([text, *_follows(follows)]))
    return "\n\n".join([*parts, "\n".join([sum_line(report), *uncounted(report)])])


def uncounted(report: Report) -> list[str]:
    """One line for each item that failed and does not count: rule, strength, what broke first."""
    return [
        f"  {result.id} {_strength(result)} failed: {_short(_first(result))}"
        for result in report.results
        if result.verdict is Verdict.PROVISIONAL_FAIL or (result.verdict.bad and not result.bad)
    ]


def sum_line(report: Report) -> str:
    """`rpc @ 2026.1: 26 in level = 24 run + 2 n/a; 24 pass, 0 FAIL, 0 unproven; provisional 3/4; 1.2 s`."""
    counts = report.counts
    columns = [f"{report.ran} run", f"{counts[Verdict.NOT_APPLICABLE]} n/a"]
    if unstable := counts[Verdict.PROVISIONAL] + counts[Verdict.PROVISIONAL_FAIL]:
        columns.append(f"{unstable} unstable")
    if report.missing:
        columns.append(f"{len(report.missing)} deselected")
    line = f"{report.channel} @ {report.level.name}: {report.in_level} in level = {' + '.join(columns)}; "
    line += ", ".join(_verdicts(report))
    if report.provisional:
        passed = sum(_passed_outside(report, rule) for rule in report.provisional)
        line += f"; provisional {passed}/{len(report.provisional)}"
    if report.vacuous:
        line += f"; {report.vacuous}"
    return f"{line}; {report.seconds:.1f} s"


def followers(report: Report) -> list[str]:
    """One line for each item from which others probably follow, for where failures are told one by one."""
    cause_of = {result.id: result.cause for result in report.bad if result.cause}
    found: dict[str, list[str]] = {}
    for item, cause in cause_of.items():
        while cause in cause_of:
            cause = cause_of[cause]
        found.setdefault(cause, []).append(item)
    return [f"  mend {cause} first: {', '.join(items)} probably follow" for cause, items in found.items()]


def evidence_text(result: ItemResult, channel: str, *, level: str = "") -> str:
    """One item: the rule, why it matters, what was done, expected and observed; what a ledger's words are found in."""
    text = catalogue()[result.rule]
    rule = written_rules().get(result.rule)
    lines = [
        f"{result.rule} [{text.level}] {text.text}",
        f"  channel {channel}, variant {result.variant}, level {level or contract_level()}",
    ]
    if rule is not None:
        lines += _field("why", rule.why)
    lines += _field(str(result.verdict), result.reason)
    lines += _checks(result.checks)
    if result.log:
        lines += _field("log", "\n".join(result.log[-_LOG_LINES:]), fold=False)
    return "\n".join(lines)


def failure_text(
    result: ItemResult,
    channel: str,
    *,
    level: str = "",
    address: str | None = None,
    repro: str = "",
    trace: bool = False,
) -> str:
    """`evidence_text`, then what is likely, and the ways to run it again.

    Args:
        result: The item.
        channel: The channel's name.
        level: The level that is scored.
        address: What `--conformance` finds its driver by; its name if left out.
        repro: Folder of the scripts that were written, if they were.
        trace: With everything that crossed the wire.
    """
    lines = [evidence_text(result, channel, level=level)]
    if trace:
        told = (
            f"t={record.at:.3f} #{record.connection} {record.kind} {record.text}" for record in result.wire
        )
        lines += _field("wire", "\n".join(told), fold=False)
    if (guess := diagnosis(result)) is not None:
        lines += _field(*guess)
    if result.cause:
        lines += _field("cause", f"probably follows from {result.cause}; mend that first")
    if result.listed:
        lines += _field("ledger", result.listed)
    lines += _field("clauses", ", ".join(catalogue()[result.rule].clauses))
    lines += _field("rerun", f"pytest --conformance {address or channel} --conformance-rule {result.rule}")
    if repro:
        lines += _field("repro", f"{repro}/{script_name(channel, result)}")
    if result.verdict is Verdict.FAIL and not result.listed:
        words = result.broken[0].name if result.broken else _without_place(result.reason)
        lines += _field("known?", f"add to conformance.ledger.toml with contains = {words!r}")
    return "\n".join(lines)


def script_name(channel: str, result: ItemResult) -> str:
    """The name of the script that runs an item alone."""
    return f"{channel}_{result.rule}_{result.variant}.py"


def _verdicts(report: Report) -> list[str]:
    counts = report.counts
    columns = [f"{counts[Verdict.PASS]} pass"]
    if counts[Verdict.EXPECTED_FAIL]:
        columns.append(f"{counts[Verdict.EXPECTED_FAIL]} expected-fail")
    columns += [f"{counts[Verdict.FAIL]} FAIL", f"{counts[Verdict.UNPROVEN]} unproven"]
    for verdict in (Verdict.UNEXPECTED_PASS, Verdict.INCONCLUSIVE):
        if counts[verdict]:
            columns.append(f"{counts[verdict]} {verdict}")
    if counts[Verdict.HARNESS_ERROR]:
        columns.append(f"{counts[Verdict.HARNESS_ERROR]} HARNESS ERROR")
    if report.advisory:
        columns.append(f"{report.advisory} of these only SHOULD")
    return columns


def _passed_outside(report: Report, rule: str) -> bool:
    ran = [result for result in report.results if result.rule == rule and result.checks]
    return bool(ran) and report.provisional[rule] is Verdict.PROVISIONAL


def _strength(result: ItemResult) -> str:
    outside = ", provisional" if result.verdict is Verdict.PROVISIONAL_FAIL else ""
    return f"[{catalogue()[result.rule].level}{outside}]"


def _first(result: ItemResult) -> str:
    return result.broken[0].name if result.broken else result.reason


def _without_place(reason: str) -> str:
    """What stays the same when lines move."""
    return re.split(r" at \S+:\d+|\n", reason, maxsplit=1)[0]


def _follows(results: Sequence[ItemResult]) -> list[str]:
    """One line for each item that most likely follows from the one above."""
    return [f"  follows   {result.id} {result.verdict}: {_short(result.reason)}" for result in results]


def _short(text: str) -> str:
    first = text.partition("\n")[0]
    return first if len(first) <= _WIDTH else f"{first[: _WIDTH - 1]}…"


def _checks(checks: Sequence[Check]) -> list[str]:
    """Controls and what broke, in full; what held as a number."""
    shown = [line for check in checks if check.control or not check.ok for line in _check(check)]
    held = sum(check.ok and not check.control for check in checks)
    return [*shown, *(_field("did", f"{held} other checks: ok") if held else [])]


def _check(check: Check) -> list[str]:
    if check.ok:
        return _field("did", f"{check.name}: ok")
    lines = _field("did", f"{check.name}: {'CONTROL FAILED' if check.control else 'FAILED'}")
    if check.control:
        return [*lines, *_field("observed", _shown(check.observed))]
    expected, observed = _compared(check.expected, check.observed)
    return [*lines, *_field("expected", _shown(expected)), *_field("observed", _shown(observed))]


def _compared(expected: Any, observed: Any) -> tuple[Any, Any]:
    """Both values; of two long texts what is around their first difference."""
    if not (isinstance(expected, str) and isinstance(observed, str)):
        return expected, observed
    if expected == observed or min(len(expected), len(observed)) <= _COMPARED:
        return expected, observed
    pairs = enumerate(zip(expected, observed, strict=False))
    at = next((n for n, (one, other) in pairs if one != other), min(len(expected), len(observed)))
    return _around(expected, at), _around(observed, at)


def _around(text: str, at: int) -> str:
    first = max(0, at - _COMPARED // 4)
    piece = text[first : first + _COMPARED]
    dots = "…" * (first > 0), "…" * (first + _COMPARED < len(text))
    return f"{dots[0]}{piece}{dots[1]} (the first difference is at {at} of {len(text)} characters)"


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
