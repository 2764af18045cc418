"""From `FMT[=PATH]` to files: every format that a run can be written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .badge import NoBadge, badge_of
from .har import to_har
from .html import to_html
from .json import to_json
from .junit import to_junit
from .markdown import to_markdown
from .model import Report
from .repro import scripts
from .sarif import to_sarif

Writer = Callable[..., str]

_WRITERS: Mapping[str, tuple[str, Writer]] = {
    "json": ("conformance.json", to_json),
    "md": ("conformance.md", to_markdown),
    "html": ("conformance.html", to_html),
    "junit": ("conformance.xml", to_junit),
    "har": ("conformance.har", to_har),
    "sarif": ("conformance.sarif", to_sarif),
}
_BADGE = "badge"
FORMATS = (*_WRITERS, _BADGE)


class UnknownFormat(ValueError):
    """A report in a format that there is none of."""


@dataclass(frozen=True, slots=True)
class Output:
    """One report that was asked for."""

    format: str
    path: Path

    @classmethod
    def parse(cls, wanted: str) -> Output:
        """From `FMT` or `FMT=PATH`.

        Raises:
            UnknownFormat: There is no such format, or the path is empty.
        """
        name, given, path = wanted.partition("=")
        if name not in FORMATS or (given and not path):
            raise UnknownFormat(
                f"report: found {wanted!r}, expected FMT or FMT=PATH with {', '.join(FORMATS)}"
            )
        default = "conformance-badge" if name == _BADGE else _WRITERS[name][0]
        return cls(name, Path(path or default))

    def write(self, reports: Sequence[Report]) -> list[str]:
        """Writes the files; gives what the user should be told, if anything."""
        if self.format == _BADGE:
            return [note for report in reports for note in self._badge(report, many=len(reports) > 1)]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(_WRITERS[self.format][1](*reports), encoding="utf-8")
        return []

    def _badge(self, report: Report, *, many: bool) -> list[str]:
        """`PATH.json` and `PATH.svg`; with several channels each gets its name behind `PATH`."""
        base = self.path.with_suffix("") if self.path.suffix in (".json", ".svg") else self.path
        base = base.with_name(f"{base.name}-{report.channel}") if many else base
        files = [base.with_name(base.name + suffix) for suffix in (".json", ".svg")]
        try:
            badge = badge_of(report)
        except NoBadge as reason:
            for file in files:
                file.unlink(missing_ok=True)  # an old one would speak for this run
            return [f"no badge: {reason}"]
        base.parent.mkdir(parents=True, exist_ok=True)
        for file, text in zip(files, (badge.to_json(), badge.to_svg()), strict=True):
            file.write_text(text, encoding="utf-8")
        return []


def write_scripts(report: Report, folder: Path, *, address: str) -> int:
    """Writes a script for each failure into `folder`; gives their number."""
    folder.mkdir(parents=True, exist_ok=True)
    found = scripts(report, address=address)
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")
    return len(found)
