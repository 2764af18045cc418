"""One item in the HTML report: what it is about, what was checked, and everything that happened, on one time line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from ..model import Check, ItemResult, WireRecord
from ..registry import catalogue, written_rules
from ..signatures import diagnosis
from .model import Report

_EVENT = re.compile(r"t=(?P<at>\d+\.\d+) (?P<text>.*)", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_LONGEST = 4_000
_LINE = 200

_ORDER = {"wire.in": 0, "wire.out": 4, "wire.broken": 4}
"""Where an event stands among records of the same moment: 1 is a request, 3 an answer."""


def item(result: ItemResult, report: Report) -> str:
    """A line that opens to the whole story."""
    text = catalogue()[result.rule]
    state = str(result.verdict) if result.binding or not result.verdict.bad else "advisory"
    anchor = escape(f"{report.channel}-{result.id}")
    short = _cut(result.reason.partition("\n")[0], _LINE) if result.verdict.bad else ""
    told = f'<span class="reason">{escape(short)}</span>' if short else ""
    head = (
        f'<details class="item" id="{anchor}" data-verdict="{result.verdict}" data-area="{text.area}">'
        f'<summary><span class="verdict {state}">{result.verdict}</span>'
        f'<span class="mono">{escape(result.id)}</span><span class="text">{_with_code(text.text)}{told}</span>'
        f'<span class="time">{_seconds(result.virtual_seconds)}</span></summary><div class="body">'
    )
    return "\n".join([head, *_facts(result, report), *_checks(result), *_story(result), "</div></details>"])


def _with_code(text: str) -> str:
    """`text` as HTML, what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _facts(result: ItemResult, report: Report) -> Iterator[str]:
    text, rule = catalogue()[result.rule], written_rules().get(result.rule)
    how, like = diagnosis(result) or ("likely", "")
    facts = {
        "why": rule.why if rule else "",
        "reason": result.reason,
        how: like,
        "cause": f"probably follows from {result.cause}" if result.cause else "",
        "ledger": result.listed,
        "source": result.source,
        "binding": f"{text.level}, tier {text.tier}, clauses {', '.join(text.clauses)}",
        "rerun": f"pytest --conformance {report.channel} --conformance-rule {result.rule}",
        "took": f"{result.virtual_seconds:.3f} virtual seconds, {result.seconds:.3f} real ones",
    }
    rows = (f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    yield f"<dl>{''.join(rows)}</dl>"


def _checks(result: ItemResult) -> Iterator[str]:
    if result.checks:
        yield "<h3>Checks</h3><table><tr><th></th><th>check</th><th>expected</th><th>observed</th></tr>"
        yield from map(_check, result.checks)
        yield "</table>"


def _check(check: Check) -> str:
    name = f"control: {check.name}" if check.control else check.name
    mark = '<td class="pass">ok</td>' if check.ok else '<td class="fail">FAILED</td>'
    values = ("", "") if check.ok else (_shown(check.expected), _shown(check.observed))
    cells = "".join(f'<td class="mono">{escape(value)}</td>' for value in values)
    return f"<tr>{mark}<td>{escape(name)}</td>{cells}</tr>"


def _story(result: ItemResult) -> Iterator[str]:
    """Events and wire records in the order of virtual time."""
    rows = [
        *_events(result),
        *(
            (record.at, 1 if record.kind.startswith("request") else 3, _wire(record))
            for record in result.wire
        ),
    ]
    if not rows:
        return
    end = max(at for at, _, _ in rows) or 1.0
    yield '<h3>What happened, in virtual time</h3><table class="log">'
    for at, _, (kind, who, what) in sorted(rows, key=lambda row: row[:2]):
        yield (
            f'<tr class="{kind}"><td class="mono">{at:.3f} s</td>'
            f'<td class="track"><span style="--at: {at / end * 96:.1f}%"></span></td>'
            f'<td class="who">{escape(who)}</td><td>{what}</td></tr>'
        )
    yield "</table>"


def _events(result: ItemResult) -> Iterator[tuple[float, int, tuple[str, str, str]]]:
    for line in result.log:
        match = _EVENT.fullmatch(line)
        if match is not None:
            name, _, detail = match["text"].partition(" ")
            yield float(match["at"]), _ORDER.get(name, 2), ("event", name, f"<pre>{escape(detail)}</pre>")


def _wire(record: WireRecord) -> tuple[str, str, str]:
    headers = "\n".join(f"{name}: {value}" for name, value in record.headers)
    told = f"<pre>{escape(record.text.rstrip())}</pre>"
    if headers:
        told += f'<details class="headers"><summary>headers</summary><pre>{escape(headers)}</pre></details>'
    where = "" if record.side == "channel" else "platform "
    return record.side, f"#{record.connection} {where}{record.kind}", told


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 100 else f"{value:.3g} s"


def _shown(value: Any) -> str:
    return _cut(value if isinstance(value, str) else repr(value), _LONGEST)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
