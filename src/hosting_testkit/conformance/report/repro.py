"""A small Python file for each failure, which runs that item alone: for a debugger, or for a report to the kit."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import ItemResult
from .model import Report
from .terminal import script_name

_SCRIPT = '''"""Runs {rule} on {channel}, variant {variant}, alone. Exit code 0: it passes."""

import sys

from hosting_testkit.conformance import Selection, Terms, find_drivers, run
from hosting_testkit.conformance.report import render

sys.path.insert(0, "")
(factory,) = find_drivers({address!r}).values()
selection = Selection(patterns=[{rule!r}], variants=[{variant!r}])
report = run(factory, selection, terms=Terms.of(factory(), level={level!r}), seed={seed!r})
print(render(report, address={address!r}, trace=True))
sys.exit(report.exit_code)
'''


def scripts(report: Report, *, address: str) -> Mapping[str, str]:
    """File name to text, for each bad item; `address` finds the driver."""
    return {
        script_name(report.channel, result): _script(report, result, address)
        for result in report.results
        if result.verdict.bad
    }


def _script(report: Report, result: ItemResult, address: str) -> str:
    return _SCRIPT.format(
        rule=result.rule,
        variant=result.variant,
        channel=report.channel,
        address=address,
        level=report.level.name,
        seed=report.seed,
    )
