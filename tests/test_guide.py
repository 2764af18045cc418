"""The guide for channel authors is followed to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guide import Reader, Step, steps

GUIDE = "docs/your-first-channel-in-an-hour.md"


def test_the_guide_can_be_followed(tmp_path: Path) -> None:
    """Some twenty seconds."""
    reader = Reader(tmp_path)
    for step in steps(GUIDE):
        reader.follow(step)
    assert reader.followed.count("run") >= 8 and reader.followed.count("says") >= 5


def test_a_guide_that_lies_is_caught(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    with pytest.raises(AssertionError, match="ended with"):
        reader.follow(Step("run", "", "ruff check missing.py\n"))
    with pytest.raises(AssertionError, match="not in the output"):
        reader.follow(Step("says", "", "All is well\n"))
    (tmp_path / "a.txt").write_text("one\n")
    with pytest.raises(AssertionError, match="found 0 times"):
        reader.follow(Step("edit", "a.txt", "-two\n+three\n"))
