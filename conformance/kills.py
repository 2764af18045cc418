"""Writes `KILLS.md`: `python -m conformance.kills`."""

from __future__ import annotations

from pathlib import Path

from hosting_testkit.conformance.kill import kill_table

Path(__file__).with_name("KILLS.md").write_text(kill_table(), encoding="utf-8")
