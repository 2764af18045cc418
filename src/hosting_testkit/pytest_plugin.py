"""`pytest --conformance NAME`: the rules as test items. Without the option it adds its options and nothing else."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options; their defaults change nothing."""
    add = parser.getgroup("conformance", "conformance of channels with the host contract").addoption
    add("--conformance", action="append", default=[], metavar="NAME", help="channel, module:factory or all")
    add("--conformance-rule", action="append", default=[], metavar="PAT", help="ids or globs of rules")
    add("--conformance-tier", type=int, default=1, choices=range(4), help="highest tier; 0 is the smoke set")
    add("--conformance-report", action="append", default=[], metavar="json=PATH", help="write a report")


def pytest_configure(config: pytest.Config) -> None:
    """Goes to work if a channel is named; the rest of the kit is imported only then."""
    if config.option.conformance:
        from .conformance.pytest_session import ConformanceSession

        config.pluginmanager.register(ConformanceSession(config), "hosting_conformance")
