"""The rules inside a pytest run: collection, outcomes, the sum at the end. Loaded by the plugin when it is needed."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from .model import ItemResult
from .plan import USAGE_ERRORS, Planned, plan
from .project import FILE as PROJECT_FILE
from .project import read_project
from .pytest_items import ConformanceItem, Group, ProjectFile, ShowsNothing, node
from .pytest_options import RunOptions
from .registry import catalogue
from .report import followers, item_to_json, read_item, sum_line, uncounted, write_scripts

_KEY = "hosting_conformance"


class ConformanceSession:
    """The plugin proper; registered when a channel is named.

    Raises:
        pytest.UsageError: A channel, a rule, a level, a ledger or a report is not right.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._root = config.rootpath
        self._results: dict[str, list[ItemResult]] = {}
        self._swallowed: list[str] = []
        self._planned: dict[str, Planned] = {}
        try:
            self._options = RunOptions.of(config)
            named = plan(self._options.named, seed=self._options.seed)
            for project in self._options.projects:
                self._of_project(project.resolve())
        except USAGE_ERRORS as error:
            raise pytest.UsageError(str(error)) from error
        self._named = named
        self._planned |= {one.name: one for one in named}
        self._order = list(self._planned)
        asked = {Path(argument.partition("::")[0]).resolve() for argument in config.args}
        config.args += [str(path) for path in self._options.projects if path.resolve() not in asked]
        for marker in _markers():
            config.addinivalue_line("markers", f"{marker}: conformance rules")

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leaves the project's own tests out, if asked to."""
        return None if self._options.collects(collection_path) else True

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collects project files."""
        named = [path.resolve() for path in self._options.projects]
        if file_path.name != PROJECT_FILE and file_path not in named:
            return None
        file: ProjectFile = node(ProjectFile, parent, path=file_path)
        file.channels, file.make = self._of_project, self._items
        return file

    @pytest.hookimpl(tryfirst=True)  # before -k, -m and --lf look at the items
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Adds the items of every channel that was named."""
        root = node(Group, session, name="conformance", nodeid="conformance")
        for planned in self._named:
            items += self._items(node(Group, root, name=planned.name), planned)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Puts the outcome on the report, so that it travels from a worker to the controller."""
        report = yield
        if report.when == "call" and isinstance(item, ConformanceItem) and item.outcome is not None:
            data = {"channel": item.planned.name, "project": item.project, "item": item_to_json(item.outcome)}
            setattr(report, _KEY, data)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collects outcomes, the workers' ones included."""
        data = getattr(report, _KEY, None)
        if data is not None:
            if data["channel"] not in self._planned:  # a worker found the project file
                self._of_project(Path(data["project"]))
            result = read_item(data["item"])
            self._results.setdefault(data["channel"], []).append(result)
            if result.bad and report.passed:
                self._swallowed.append(f"{data['channel']} {result.id}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What the kit saw counts, not what became of it on its way through other plugins."""
        if self._swallowed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Writes the sum of each channel and the reports asked for."""
        terminalreporter.section("conformance")
        later = sorted(self._planned.keys() - set(self._order))  # workers find project files in any order
        names = [*self._order, *later]
        reports = [self._planned[name].report(self._results.get(name, [])) for name in names]
        for item in self._swallowed:
            terminalreporter.write_line(
                f"HARNESS ERROR: {item} failed, and something in this run made it pass; look at conftest.py and plugins"
            )
        for report in reports:
            for line in (sum_line(report), *uncounted(report), *followers(report)):
                terminalreporter.write_line(line)
            if self._options.repro:
                address = self._planned[report.channel].address
                count = write_scripts(report, Path(self._options.repro), address=address)
                terminalreporter.write_line(f"{count} scripts in {self._options.repro}")
        for output in self._options.outputs:
            for note in output.write(reports):
                terminalreporter.write_line(note)

    def _of_project(self, path: Path) -> list[Planned]:
        """Plans the channels of a project file; those that were also named are left out."""
        wanted = [self._options.over(one) for one in read_project(path)]
        found = [one for one in plan(wanted, seed=self._options.seed) if not self._is_named(one)]
        self._planned |= {one.name: one for one in found}
        return found

    def _is_named(self, planned: Planned) -> bool:
        return any(one.name == planned.name for one in getattr(self, "_named", ()))

    def _items(self, parent: Any, planned: Planned, project: Path | None = None) -> list[pytest.Item]:
        found: list[pytest.Item] = []
        for case in planned.items():
            item: ConformanceItem = node(ConformanceItem, parent, name=case.id)
            item.bind(planned, case)
            item.trace, item.repro = self._options.trace, self._options.repro
            item.project = str(project or "")
            found.append(item)
        if reason := planned.shows_nothing():
            summary: ShowsNothing = node(ShowsNothing, parent, name="HC-CAP-003@summary")
            summary.reason = reason
            found.append(summary)
        return found


def _markers() -> list[str]:
    areas = {f"area_{text.area.lower()}" for text in catalogue().values()}
    return ["conformance", "must", "should", "may", *(f"tier{n}" for n in range(4)), *sorted(areas)]
