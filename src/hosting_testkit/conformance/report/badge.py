"""A badge whose text carries the numbers. Green has to be earned: a whole run, a claimed profile, nothing bad or listed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

from ..model import Verdict
from .model import Report

_HEX = {"brightgreen": "#2f7d32", "orange": "#a35c00", "red": "#b3261e", "lightgrey": "#5f6368"}
_LETTER = 6.6
_MARGIN = 12


class NoBadge(ValueError):
    """A report that shows too little for a badge; the text says why."""


@dataclass(frozen=True, slots=True)
class Badge:
    """Left text, right text, colour."""

    label: str
    message: str
    color: str

    def to_json(self) -> str:
        """As badge services read it."""
        data = {"schemaVersion": 1, "label": self.label, "message": self.message, "color": self.color}
        return json.dumps(data, ensure_ascii=False) + "\n"

    def to_svg(self) -> str:
        """A picture that needs no service."""
        left = round(len(self.label) * _LETTER + _MARGIN)
        right = round(len(self.message) * _LETTER + _MARGIN)
        title = escape(f"{self.label}: {self.message}")
        text = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#fff" text-anchor="middle"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
            f'aria-label="{title}"><title>{title}</title>'
            f'<rect width="{left + right}" height="20" rx="3" fill="#444"/>'
            f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right - 3}z" '
            f'fill="{_HEX[self.color]}"/>'
            f'<g {text}><text x="{left / 2:g}" y="14">{escape(self.label)}</text>'
            f'<text x="{left + right / 2:g}" y="14">{escape(self.message)}</text></g></svg>\n'
        )


def badge_of(report: Report) -> Badge:
    """The badge of a channel.

    Raises:
        NoBadge: Only a part was run, too little ran, the kit broke, or the driver is not honest: a declared
            capability is not proven, or its decoder does not read the wire.
    """
    if not report.selection.whole:
        raise NoBadge(f"{report.channel}: only a part was run; a badge needs the whole level")
    if report.vacuous or report.exit_code == 3:
        raise NoBadge(f"{report.channel}: {report.vacuous or 'the kit itself failed'}")
    dishonest = [rule for rule in ("HC-CAP-001", "HC-CAP-003") if _broken(report, rule)]
    if dishonest:
        raise NoBadge(
            f"{report.channel}: the driver's word is not good ({', '.join(dishonest)} does not hold)"
        )
    counts = report.counts
    message = f"{counts[Verdict.PASS]}/{report.ran}"
    if known := counts[Verdict.EXPECTED_FAIL]:
        message += f" +{known} known"
    if open_ := len({result.rule for result in report.bad}):
        message += f", {open_} open"
    return Badge(f"conformance {report.level.name}", message, _color(report))


def _color(report: Report) -> str:
    if report.bad:
        return "red"
    if report.counts[Verdict.EXPECTED_FAIL] or report.advisory:
        return "orange"
    return "brightgreen" if report.profile != "custom" else "lightgrey"


def _broken(report: Report, rule: str) -> bool:
    verdict = report.by_rule.get(rule)
    return verdict is not None and verdict.bad
