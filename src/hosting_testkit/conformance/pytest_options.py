"""The options of a pytest run, with the ini keys behind them, as the kit's own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from .engine import fresh_seed
from .ledger import FILE as LEDGER_FILE
from .project import FILE as PROJECT_FILE
from .project import Wanted
from .report import Output
from .selection import WHOLE, Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What was asked for.

    Args:
        names: Channels, drivers and project files.
        only: Without the project's own tests.
        overrides: What the command line says for every channel, whatever a project file says.
        outputs: Reports to write.
        seed: Of the random texts.
        trace: Print transcripts of failures.
        repro: Folder for scripts; "" for none.
    """

    names: Sequence[str]
    only: bool
    overrides: Wanted
    outputs: Sequence[Output]
    seed: int
    trace: bool
    repro: str

    @classmethod
    def of(cls, config: pytest.Config) -> RunOptions:
        """Reads them; a fresh seed is put where workers find it.

        Raises:
            UnknownFormat: A report in a format that there is none of.
        """
        if _value(config, "seed") in (None, ""):
            config.option.conformance_seed = fresh_seed()
        areas = [area.strip() for text in _value(config, "area") or () for area in text.split(",")]
        tier: Any = _value(config, "tier")
        selection = Selection(
            tier=WHOLE if tier in (None, "") else int(tier),
            patterns=tuple(_value(config, "rule") or ()),
            areas=tuple(filter(None, areas)),
            variants=tuple(_value(config, "variant") or ()),
        )
        return cls(
            names=config.option.conformance or config.getini("conformance"),
            only=_value(config, "only"),
            overrides=Wanted(
                driver="",
                selection=selection,
                level=_value(config, "level") or "",
                ledger=_ledger(config),
                strict=_value(config, "strict"),
            ),
            outputs=[Output.parse(wanted) for wanted in _value(config, "report") or ()],
            seed=int(_value(config, "seed")),
            trace=_value(config, "trace"),
            repro=_value(config, "repro") or "",
        )

    @property
    def projects(self) -> list[Path]:
        """Project files that were named."""
        return [Path(name) for name in self.names if name.endswith(".toml")]

    @property
    def named(self) -> list[Wanted]:
        """Channels that were named."""
        return [replace(self.overrides, driver=name) for name in self.names if not name.endswith(".toml")]

    def over(self, wanted: Wanted) -> Wanted:
        """A project file's channel with what the command line changes."""
        line, own = self.overrides.selection, wanted.selection
        selection = Selection(
            tier=min(line.tier, own.tier),
            patterns=line.patterns or own.patterns,
            areas=line.areas or own.areas,
            variants=line.variants or own.variants,
        )
        return replace(
            wanted,
            selection=selection,
            level=self.overrides.level or wanted.level,
            ledger=wanted.ledger or self.overrides.ledger,
            strict=self.overrides.strict or wanted.strict,
        )

    def collects(self, path: Path) -> bool:
        """Whether a file is collected although only conformance is asked for."""
        return not self.only or path.is_dir() or path.name == PROJECT_FILE or path in self.projects


def _value(config: pytest.Config, name: str) -> Any:
    """From the command line, or else from the ini file."""
    given: Any = getattr(config.option, f"conformance_{name}")
    unset = given is None or given is False or given == []
    return config.getini(f"conformance_{name}") if unset else given


def _ledger(config: pytest.Config) -> Path | None:
    named = _value(config, "ledger")
    if named:
        return Path(named)
    default = config.rootpath / LEDGER_FILE
    return default if default.is_file() else None
