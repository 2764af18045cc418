"""The failures as SARIF, so that code hosts show them at the line where the channel is contributed."""

from __future__ import annotations

import json
from typing import Any

from ..model import ItemResult
from ..registry import catalogue, written_rules
from .environment import Environment
from .model import Report
from .terminal import failure_text


def to_sarif(*reports: Report) -> str:
    """One run for all channels; a rule is described once."""
    found = [(report, result) for report in reports for result in report.results if result.verdict.bad]
    rules = sorted({result.rule for _, result in found})
    driver = {
        "name": "hosting-testkit",
        "version": Environment.here().kit,
        "rules": [_rule(id) for id in rules],
    }
    run = {"tool": {"driver": driver}, "results": [_result(report, result) for report, result in found]}
    data = {"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [run]}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _rule(id: str) -> dict[str, Any]:
    text, rule = catalogue()[id], written_rules().get(id)
    return {
        "id": id,
        "shortDescription": {"text": text.text},
        "help": {"text": rule.why if rule else text.text},
        "defaultConfiguration": {"level": "error" if text.level == "MUST" else "warning"},
    }


def _result(report: Report, result: ItemResult) -> dict[str, Any]:
    told = failure_text(result, report.channel, level=report.level.name)
    found: dict[str, Any] = {
        "ruleId": result.rule,
        "level": "error" if result.bad else "warning",
        "message": {"text": told},
        "partialFingerprints": {"item": f"{report.channel}/{result.id}"},
    }
    return {**found, "locations": [_place(result.source)]} if result.source else found


def _place(source: str) -> dict[str, Any]:
    uri, _, line = source.rpartition(":")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": int(line)},
        }
    }
