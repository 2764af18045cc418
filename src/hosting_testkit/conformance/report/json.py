"""The report as JSON, in a stable order: equal runs give equal bytes but for the real seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...drivers.capabilities import Claim
from ..model import Check, ItemResult, Verdict, WireRecord
from ..registry import catalogue, written_rules
from .environment import Environment, package_of
from .model import Report
from .terminal import sum_line

SCHEMA = 2
"""2: levels, ledgers, transcripts, proofs of capabilities."""


def to_json(*reports: Report, environment: Environment | None = None) -> str:
    """One document for all channels of a run."""
    return (
        json.dumps(document(*reports, environment=environment), indent=1, ensure_ascii=False, default=_plain)
        + "\n"
    )


def document(*reports: Report, environment: Environment | None = None) -> dict[str, Any]:
    """The same as JSON values."""
    where = environment or Environment.here()
    return {
        "schema": SCHEMA,
        "kit": where.kit,
        "python": where.python,
        "dependencies": dict(sorted(where.dependencies.items())),
        "channels": [_report(report) for report in reports],
    }


def _report(report: Report) -> dict[str, Any]:
    package, number = package_of(report.module)
    counts, selection = report.counts, report.selection
    return {
        "channel": report.channel,
        "package": package,
        "version": number,
        "profile": report.profile,
        "contract": report.contract,
        "level": {
            "name": report.level.name,
            "sha256": report.level.sha256,
            "rules": sorted(report.level.rules),
            "excluded": dict(sorted(report.level.excluded.items())),
        },
        "strict": report.strict,
        "seed": report.seed,
        "selection": {
            "tier": selection.tier,
            "rules": list(selection.patterns),
            "areas": list(selection.areas),
            "variants": list(selection.variants),
        },
        "summary": sum_line(report),
        "conformant": report.conformant,
        "exit_code": report.exit_code,
        "totals": {str(verdict): counts[verdict] for verdict in Verdict}
        | {
            "in_level": report.in_level,
            "run": report.ran,
            "deselected": len(report.missing),
            "outside": len(report.provisional),
            "not_written": len(catalogue()) - len(written_rules()),
        },
        "transports": {name: _claim(claim) for name, claim in report.transports.items()},
        "capabilities": {
            name: {**_claim(claim), "proof": _proof(report, name)}
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
        "area": text.area,
        "clauses": list(text.clauses),
        "verdict": str(result.verdict),
        "binding": result.binding,
        "reason": result.reason,
        "cause": result.cause,
        "ledger": result.listed,
        "source": result.source,
        "checks": [_check(check) for check in result.checks],
        "log": list(result.log),
        "wire": [_record(record) for record in result.wire],
        "virtual_seconds": round(result.virtual_seconds, 6),
        "seconds": round(result.seconds, 6),
    }


def read_item(data: Mapping[str, Any]) -> ItemResult:
    """The result that `item_to_json` wrote; expected and observed values come back as text."""
    return ItemResult(
        rule=data["rule"],
        variant=data["variant"],
        verdict=Verdict(data["verdict"]),
        binding=data["binding"],
        reason=data["reason"],
        cause=data["cause"],
        listed=data["ledger"],
        source=data["source"],
        checks=tuple(Check(**check) for check in data["checks"]),
        log=tuple(data["log"]),
        wire=tuple(_read_record(record) for record in data["wire"]),
        seconds=data["seconds"],
        virtual_seconds=data["virtual_seconds"],
    )


def _claim(claim: Claim) -> dict[str, Any]:
    return {"state": claim.state, "reason": claim.reason, "params": dict(claim.params)}


def _proof(report: Report, capability: str) -> list[str]:
    """The items that ran and passed and need the capability."""
    written = written_rules()
    return [
        result.id
        for result in report.results
        if result.verdict is Verdict.PASS and capability in written[result.rule].needs
    ]


def _check(check: Check) -> dict[str, Any]:
    """Values only of what broke: they may hold random texts, which would make equal runs differ."""
    plain = {"name": check.name, "ok": check.ok, "control": check.control}
    return (
        plain
        if check.ok
        else {**plain, "expected": _plain(check.expected), "observed": _plain(check.observed)}
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def _record(record: WireRecord) -> dict[str, Any]:
    data = asdict(record)
    data["headers"] = [list(header) for header in record.headers]
    return data


def _read_record(data: Any) -> WireRecord:
    fields: dict[str, Any] = {**data, "headers": [(name, value) for name, value in data["headers"]]}
    return WireRecord(**fields)
