"""Rules as items of pytest: what they are called, how they run, how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from .model import ItemResult, Verdict
from .plan import USAGE_ERRORS, Planned
from .report import failure_text, properties
from .selection import Item


def node(kind: Any, parent: Any, **fields: Any) -> Any:
    """A node of pytest's tree; its own constructor has no types."""
    return kind.from_parent(parent, **fields)


class ConformanceFailure(Exception):
    """A rule ended badly; the text is the rule's own."""


class HarnessError(Exception):
    """The kit itself broke."""


class _Told(pytest.Item):
    """An item whose failures are told in its own words."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, ConformanceFailure | HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class ConformanceItem(_Told):
    """One rule on one transport; runs on the kit's own loop, whatever async plugins there are."""

    planned: Planned
    case: Item
    trace: bool = False
    repro: str = ""
    project: str = ""
    outcome: ItemResult | None = None

    def bind(self, planned: Planned, case: Item) -> None:
        """Says what to run; `obj` is what other plugins look for."""
        self.planned, self.case = planned, case
        self.obj = case.rule.body
        text = case.rule.text
        for marker in ("conformance", text.level.lower(), f"tier{text.tier}", f"area_{text.area.lower()}"):
            self.add_marker(marker)

    def runtest(self) -> None:
        """Runs the rule: what does not apply is skipped, what is unproven fails."""
        result = self.outcome = self.planned.run(self.case)
        self.user_properties += properties(result, self.planned.name, self.planned.terms.level.name)
        if result.verdict is Verdict.HARNESS_ERROR:
            raise HarnessError(self._text(result))
        if result.bad:
            raise ConformanceFailure(self._text(result))
        if result.verdict in (Verdict.EXPECTED_FAIL, Verdict.PROVISIONAL_FAIL) or result.verdict.bad:
            binding = "" if result.binding else "only a SHOULD: "
            pytest.xfail(f"{binding}{result.verdict}: {result.listed or result.reason}")
            raise ConformanceFailure(self._text(result))  # reached with --runxfail
        if not result.verdict.ran and not result.checks:
            pytest.skip(f"{result.verdict}: {result.reason}")

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the rule is written."""
        path, line = self.case.rule.source
        return Path(path), line, self.name

    def _text(self, result: ItemResult) -> str:
        return failure_text(
            result,
            self.planned.name,
            level=self.planned.terms.level.name,
            address=self.planned.address,
            repro=self.repro,
            trace=self.trace,
        )


class ShowsNothing(_Told):
    """Fails: a run in which too few rules run shows nothing."""

    reason: str = ""

    def runtest(self) -> None:
        """Fails."""
        raise ConformanceFailure(f"{self.reason} (HC-CAP-003)")


class Group(pytest.Collector):
    """Gives items their node ids: `conformance::NAME::RULE@transport`."""

    def collect(self) -> Iterable[pytest.Item]:
        return ()


class ChannelGroup(pytest.Collector):
    """The items of one channel of a project file, so that node ids find them."""

    make: Callable[[Any], list[pytest.Item]]

    def collect(self) -> Iterable[pytest.Item]:
        return self.make(self)


class ProjectFile(pytest.File):
    """A `conformance.toml`."""

    channels: Callable[[Path], list[Planned]]
    make: Callable[[Any, Planned, Path], list[pytest.Item]]

    def collect(self) -> Iterable[pytest.Collector]:
        """One group for each channel."""
        try:
            planned = self.channels(self.path)
        except USAGE_ERRORS as error:
            raise self.CollectError(str(error)) from error
        for one in planned:
            group: ChannelGroup = node(ChannelGroup, self, name=one.name)
            group.make = lambda parent, one=one: self.make(parent, one, self.path)
            yield group
