"""The report as JSON, in a stable order: equal runs give equal bytes but for the real seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..model import Check, ItemResult, Verdict
from ..registry import catalogue
from .model import Report
from .terminal import sum_line

SCHEMA = 1


def to_json(*reports: Report) -> str:
    """One document for all channels of a run."""
    return (
        json.dumps({"schema": SCHEMA, "channels": [_report(report) for report in reports]}, indent=1) + "\n"
    )


def _report(report: Report) -> dict[str, Any]:
    return {
        "channel": report.channel,
        "contract": report.contract,
        "tier": report.tier,
        "summary": sum_line(report),
        "conformant": report.conformant,
        "totals": {str(verdict): report.counts[verdict] for verdict in sorted(report.counts)}
        | {"in_level": report.in_level, "run": report.ran, "not_written": report.not_written},
        "capabilities": {
            name: {"state": claim.state, "reason": claim.reason, "params": dict(claim.params)}
            for name, claim in report.capabilities.items()
        },
        "items": [item_to_json(result) for result in report.results],
    }


def item_to_json(result: ItemResult) -> dict[str, Any]:
    """One item as JSON values."""
    text = catalogue()[result.rule]
    return {
        "id": result.id,
        "rule": result.rule,
        "variant": result.variant,
        "level": text.level,
        "tier": text.tier,
        "clauses": list(text.clauses),
        "verdict": str(result.verdict),
        "reason": result.reason,
        "checks": [_check(check) for check in result.checks],
        "log": [] if result.verdict is Verdict.PASS else list(result.log),
        "virtual_seconds": round(result.virtual_seconds, 6),
        "seconds": round(result.seconds, 6),
    }


def read_item(data: Mapping[str, Any]) -> ItemResult:
    """The result that `item_to_json` wrote; expected and observed values come back as text."""
    return ItemResult(
        rule=data["rule"],
        variant=data["variant"],
        verdict=Verdict(data["verdict"]),
        reason=data["reason"],
        checks=tuple(Check(**check) for check in data["checks"]),
        log=tuple(data["log"]),
        seconds=data["seconds"],
        virtual_seconds=data["virtual_seconds"],
    )


def _check(check: Check) -> dict[str, Any]:
    """Values only of what broke: they hold random texts, which would make equal runs differ."""
    plain = {"name": check.name, "ok": check.ok, "control": check.control}
    return (
        plain
        if check.ok
        else {**plain, "expected": _plain(check.expected), "observed": _plain(check.observed)}
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
