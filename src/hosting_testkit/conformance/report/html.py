"""The report as one HTML file: no other file, no network, readable without its script, which only filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape
from importlib.resources import files

from ..model import ItemResult, Verdict
from .environment import Environment, package_of
from .html_item import item
from .model import Report
from .terminal import sum_line

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'"


def to_html(*reports: Report) -> str:
    """All channels of a run on one page."""
    where = Environment.here()
    names = ", ".join(report.channel for report in reports)
    versions = ", ".join(f"{name} {number}" for name, number in where.dependencies.items())
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Conformance of {escape(names)}</title><style>{_resource('page.css')}</style></head><body>",
        f"<h1>Conformance of {escape(names)}</h1>",
        f'<p class="soft">kit {escape(where.kit)}, {escape(where.python)}, {escape(versions)}</p>',
        *(part for report in reports for part in _channel(report)),
        f"<script>{_resource('page.js')}</script></body></html>\n",
    ]
    return "\n".join(parts)


def _channel(report: Report) -> Iterator[str]:
    package, number = package_of(report.module)
    level = report.level
    state = f"sha256 {level.sha256[:16]}…" if level.frozen else "not frozen yet"
    colour = "pass" if report.conformant else "advisory" if report.passed else "fail"
    yield f'<section class="channel"><h2>{escape(f"{report.channel} {number}".strip())}: '
    yield f'<span class="{colour}">{report.outcome}</span></h2>'
    yield (
        f'<p class="soft">{escape(package or report.module)}, profile {escape(report.profile)}, contract '
        f"{escape(report.contract)}, level {escape(level.name)} ({escape(state)}), seed {report.seed}</p>"
    )
    yield f'<p class="mono">{escape(sum_line(report))}</p>'
    yield f'<div class="tiles">{"".join(_tiles(report))}</div>'
    yield from _capabilities(report)
    yield from _filters(report)
    yield from (item(result, report) for result in _worst_first(report))
    yield '<p class="none" hidden>No item fits the filters.</p></section>'


def _tiles(report: Report) -> Iterator[str]:
    yield f'<div class="tile"><b>{report.in_level}</b>in level</div>'
    for verdict in Verdict:
        count = report.counts[verdict]
        if count or verdict in (Verdict.PASS, Verdict.FAIL, Verdict.UNPROVEN):
            colour = str(verdict) if count else "soft"
            yield f'<div class="tile {colour}"><b>{count}</b>{verdict}</div>'
    if report.missing:
        yield f'<div class="tile soft"><b>{len(report.missing)}</b>deselected</div>'
    if report.provisional:
        yield f'<div class="tile soft"><b>{len(report.provisional)}</b>outside the level</div>'


def _capabilities(report: Report) -> Iterator[str]:
    claims = [*report.transports.items(), *report.capabilities.items()]
    yield f"<details><summary>{len(claims)} claims of the driver</summary><table>"
    yield "<tr><th>capability</th><th>state</th><th>numbers</th><th>reason</th></tr>"
    for name, claim in claims:
        numbers = ", ".join(f"{key} {value}" for key, value in claim.params.items())
        cells = (name, claim.state, numbers, claim.reason)
        yield f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in cells)}</tr>"
    yield "</table></details>"


def _filters(report: Report) -> Iterator[str]:
    counts = Counter(result.verdict for result in report.results)
    areas = dict.fromkeys(result.rule.split("-")[1] for result in report.results)
    yield '<div class="filters" role="group" aria-label="Filters">'
    for verdict in Verdict:
        if counts[verdict]:
            yield (
                f'<label class="{verdict}"><input type="checkbox" value="{verdict}" checked> '
                f"{verdict} {counts[verdict]}</label>"
            )
    options = "".join(f"<option>{escape(area)}</option>" for area in areas)
    yield f'<label>area <select><option value="">all</option>{options}</select></label>'
    yield '<input type="search" placeholder="words" aria-label="Words">'
    yield '<span class="soft shown"></span></div>'


def _worst_first(report: Report) -> list[ItemResult]:
    """What counts against the channel first, else in catalogue order."""
    return sorted(report.results, key=lambda result: (not result.bad, not result.verdict.bad))


def _resource(name: str) -> str:
    return (files(__name__.rpartition(".")[0]) / name).read_text(encoding="utf-8")
