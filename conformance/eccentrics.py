"""Writes the list of odd but legal channels: `python -m conformance.eccentrics`."""

from __future__ import annotations

from pathlib import Path

from hosting_testkit.conformance.eccentrics import eccentric_table

TABLE = Path(__file__).with_name("ECCENTRICS.md")

if __name__ == "__main__":
    TABLE.write_text(eccentric_table(), encoding="utf-8")
