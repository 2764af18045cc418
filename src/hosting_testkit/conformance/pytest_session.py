"""The rules inside a pytest run: items, their outcomes, the sum at the end. Loaded by the plugin when it is needed."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from .discovery import UnknownChannel, find_drivers
from .engine import Item, Selection, items_of, run_item, standing_of
from .kit import DriverFactory
from .model import ItemResult
from .registry import UnknownRule, catalogue
from .report import Report, failure_text, item_to_json, read_item, sum_line, to_json

_KEY = "hosting_conformance"


class ConformanceFailure(Exception):
    """A rule ended badly; the text is the rule's own."""


class _Told(pytest.Item):
    """An item whose failures are told in its own words."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, ConformanceFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class ConformanceItem(_Told):
    """One rule on one transport; runs on the kit's own loop, whatever async plugins there are."""

    channel: str
    address: str
    factory: DriverFactory
    case: Item
    outcome: ItemResult | None = None

    def bind(self, channel: str, address: str, factory: DriverFactory, case: Item) -> None:
        """Says what to run; `obj` is what other plugins look for."""
        self.channel, self.address, self.factory, self.case = channel, address, factory, case
        self.obj = case.rule.body
        text = case.rule.text
        for marker in ("conformance", text.level.lower(), f"tier{text.tier}", f"area_{text.area.lower()}"):
            self.add_marker(marker)

    def runtest(self) -> None:
        """Runs the rule: what does not apply is skipped, what is unproven fails."""
        result = self.outcome = run_item(self.factory, self.case)
        self.user_properties += [("rule", result.rule), ("verdict", str(result.verdict))]
        if not result.verdict.ran:
            pytest.skip(f"{result.verdict}: {result.reason}")
        if result.verdict.bad:
            raise ConformanceFailure(failure_text(result, self.channel, address=self.address))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the rule is written."""
        path, line = self.case.rule.source
        return Path(path), line, self.name


class NothingRan(_Told):
    """Fails: a selection in which no rule runs shows nothing."""

    def runtest(self) -> None:
        """Fails."""
        raise ConformanceFailure("no selected rule applies to this channel, so nothing is shown (HC-CAP-003)")


class _Group(pytest.Collector):
    """Gives items their node ids: `conformance::NAME::RULE@transport`."""

    def collect(self) -> Iterable[pytest.Item]:
        return ()


class ConformanceSession:
    """The plugin proper; registered when a channel is named.

    Raises:
        pytest.UsageError: A channel, a rule or a report is not known.
    """

    def __init__(self, config: pytest.Config) -> None:
        options: Any = config.option
        self._selection = Selection(tier=options.conformance_tier, patterns=options.conformance_rule)
        self._reports = [_report_path(wanted) for wanted in options.conformance_report]
        self._results: dict[str, list[ItemResult]] = {}
        try:
            self._selection.rules()
            self._channels = _by_name(options.conformance)
        except (UnknownChannel, UnknownRule) as error:
            raise pytest.UsageError(str(error)) from error
        areas = {f"area_{text.area.lower()}" for text in catalogue().values()}
        for marker in (
            "conformance",
            "must",
            "should",
            "may",
            *(f"tier{n}" for n in range(4)),
            *sorted(areas),
        ):
            config.addinivalue_line("markers", f"{marker}: conformance rules")

    @pytest.hookimpl(tryfirst=True)  # before -k, -m and --lf look at the items
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Adds the items of every channel."""
        root = _node(_Group, session, "conformance", nodeid="conformance")
        for name, (address, factory) in self._channels.items():
            group = _node(_Group, root, name)
            driver = factory()
            cases = list(items_of(driver, self._selection))
            for case in cases:
                item = _node(ConformanceItem, group, case.id)
                item.bind(name, address, factory, case)
                items.append(item)
            standing = [standing_of(case, driver) for case in cases]
            if all(result is not None and not result.verdict.ran for result in standing):
                items.append(_node(NothingRan, group, "HC-CAP-003@summary"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Puts the outcome on the report, so that it travels from a worker to the controller."""
        report = yield
        if report.when == "call" and isinstance(item, ConformanceItem) and item.outcome is not None:
            setattr(report, _KEY, {"channel": item.channel, "item": item_to_json(item.outcome)})
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collects outcomes, the workers' ones included."""
        data = getattr(report, _KEY, None)
        if data is not None:
            self._results.setdefault(data["channel"], []).append(read_item(data["item"]))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Writes the sum of each channel and the reports asked for."""
        order = {id: number for number, id in enumerate(catalogue())}
        reports: list[Report] = []
        terminalreporter.section("conformance")
        for name, (_, factory) in self._channels.items():
            results = sorted(
                self._results.get(name, []), key=lambda result: (order[result.rule], result.variant)
            )
            reports.append(Report.of(factory(), results, tier=self._selection.tier))
            terminalreporter.write_line(sum_line(reports[-1]))
        for path in self._reports:
            path.write_text(to_json(*reports), encoding="utf-8")


def _node(kind: Any, parent: Any, name: str, **fields: Any) -> Any:
    return kind.from_parent(parent, name=name, **fields)


def _by_name(wanted: Iterable[str]) -> dict[str, tuple[str, DriverFactory]]:
    """Channel name to the driver's address and factory; node ids and sums need one of each name."""
    found: dict[str, tuple[str, DriverFactory]] = {}
    for address, factory in [pair for name in wanted for pair in find_drivers(name).items()]:
        first, _ = found.setdefault(factory().name, (address, factory))
        if first != address:
            raise UnknownChannel(
                f"{first!r} and {address!r} both drive a channel {factory().name!r}; name them apart"
            )
    return found


def _report_path(wanted: str) -> Path:
    kind, _, path = wanted.partition("=")
    if kind != "json" or not path:
        raise pytest.UsageError(f"--conformance-report: found {wanted!r}, expected json=PATH")
    return Path(path)
