"""`pytest --conformance NAME`: the rules as test items. Without the option it adds its options and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

_LATER = ("fuzz", "chaos", "server")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options and the ini keys of the same names; their defaults change nothing."""
    add = parser.getgroup("conformance", "conformance of channels with the host contract").addoption
    many: dict[str, Any] = {"action": "append", "default": []}
    flag: dict[str, Any] = {"action": "store_true", "default": False}
    add("--conformance", **many, metavar="NAME", help="channel, module:factory, conformance.toml or all")
    add("--conformance-only", **flag, help="drop the project's own tests from this run")
    add("--conformance-level", metavar="LEVEL", help="frozen set to score against, such as 2026.3, or next")
    add("--conformance-tier", type=int, choices=range(4), help="highest tier to run; 0 is the smoke set")
    add("--conformance-rule", **many, metavar="PAT", help="ids or globs of rules")
    add("--conformance-area", **many, metavar="AREA,...", help="areas, such as AUTH,SEC")
    add("--conformance-variant", **many, metavar="NAME", help="transports, such as webhook")
    add("--conformance-ledger", metavar="PATH", help="expected failures; conformance.ledger.toml if present")
    add(
        "--conformance-strict",
        **flag,
        help="SHOULD counts, nothing may be undeclared or listed without issue",
    )
    add(
        "--conformance-report",
        **many,
        metavar="FMT[=PATH]",
        help="json, md, html, junit, har, sarif or badge",
    )
    add("--conformance-seed", type=int, metavar="N", help="makes the random texts of two runs equal")
    add("--conformance-trace", **flag, help="print the transcripts of failing rules")
    add("--conformance-repro", metavar="DIR", help="write stand-alone scripts for failures")
    add("--conformance-explain", metavar="ID", help="print what a rule is about; no run")
    add("--conformance-freeze-check", **flag, help="compare the level file with its published hash")
    for name in _LATER:
        add(f"--conformance-{name}", metavar="X", help="not available yet")
    for name in ("conformance", "conformance_rule", "conformance_variant", "conformance_report"):
        parser.addini(name, f"as --{name.replace('_', '-')}, one a line", type="linelist", default=[])
    parser.addini("conformance_area", "as --conformance-area", type="args", default=[])
    for name in ("level", "tier", "ledger", "seed", "repro"):
        parser.addini(f"conformance_{name}", f"as --conformance-{name}", default="")
    for name in ("only", "strict", "trace"):
        parser.addini(f"conformance_{name}", f"as --conformance-{name}", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Goes to work if a channel is named; the rest of the kit is imported only then."""
    for name in _LATER:
        if getattr(config.option, f"conformance_{name}") is not None:
            raise pytest.UsageError(f"--conformance-{name} is not available yet in this version of the kit")
    if config.option.conformance or config.getini("conformance"):
        from .conformance.pytest_session import ConformanceSession

        config.pluginmanager.register(ConformanceSession(config), "hosting_conformance")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answers what needs no run."""
    if config.option.conformance_explain or config.option.conformance_freeze_check:
        from .conformance.pytest_answers import answer

        return answer(config)
    return None
