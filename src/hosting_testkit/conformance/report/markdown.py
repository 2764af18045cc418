"""The report as Markdown: fits the summary of a CI job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ..model import ItemResult, Verdict
from .model import Report
from .terminal import failure_text, sum_line

_MARKS = {"supported": "yes", "not-implemented": "not yet", "impossible": "no", "unstable": "unstable"}


def to_markdown(*reports: Report) -> str:
    """All channels of a run, one after the other."""
    return "\n".join(line for report in reports for line in _report(report)) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(cell(text) for text in line)} |" for line in lines]


def cell(text: str) -> str:
    """Text that stays in its cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _report(report: Report) -> Iterator[str]:
    yield f"## {report.channel}: {report.outcome}"
    yield ""
    yield f"`{sum_line(report)}`"
    yield ""
    yield from _failures(report)
    yield from _listed(report, Verdict.EXPECTED_FAIL, "Known failures", lambda result: result.listed)
    yield from _capabilities(report)
    yield from _listed(report, Verdict.NOT_APPLICABLE, "Does not apply", lambda result: result.reason)
    outside = [Verdict.PROVISIONAL_FAIL, Verdict.PROVISIONAL]
    for verdict in outside:
        yield from _listed(report, verdict, f"Outside the score: {verdict}", lambda result: result.reason)


def _failures(report: Report) -> Iterator[str]:
    told = [result for result in report.results if result.verdict.bad]
    roots = [result for result in told if not result.cause]
    for result in [*roots, *(result for result in told if result.cause)]:
        after = f", probably follows from {result.cause}" if result.cause else ""
        advisory = "" if result.binding else " (SHOULD, does not count)"
        short = escape(result.reason.partition("\n")[0], quote=False)
        yield f"<details><summary><b>{result.id}</b> {result.verdict}{advisory}{after}: {short}</summary>"
        yield ""
        fence = "`" * 4
        yield fence
        yield failure_text(result, report.channel, level=report.level.name).replace(fence, "'" * 4)
        yield fence
        yield ""
        yield "</details>"
        yield ""


def _capabilities(report: Report) -> Iterator[str]:
    proven = {result.rule for result in report.results if result.verdict is Verdict.PASS}
    claims = [*report.transports.items(), *report.capabilities.items()]
    rows = [
        [name, _MARKS.get(claim.state, claim.state), _numbers(claim.params), claim.reason]
        for name, claim in claims
    ]
    yield f"<details><summary>Capabilities ({len(proven)} rules passed)</summary>"
    yield ""
    yield from table(["capability", "state", "numbers", "reason"], rows)
    yield ""
    yield "</details>"
    yield ""


def _numbers(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in params.items())


def _listed(
    report: Report, verdict: Verdict, title: str, reason: Callable[[ItemResult], str]
) -> Iterator[str]:
    found = [result for result in report.results if result.verdict is verdict]
    if found:
        yield f"<details><summary>{title} ({len(found)})</summary>"
        yield ""
        yield from table(["item", "reason"], [[result.id, reason(result)] for result in found])
        yield ""
        yield "</details>"
        yield ""
