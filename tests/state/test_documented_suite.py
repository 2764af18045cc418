"""The example for authors of stores in the documents runs."""

from __future__ import annotations

import pytest

from tests import documents


def test_the_example_for_authors_runs(pytester: pytest.Pytester) -> None:
    name, code = next(iter(documents.files("docs/state.md").items()))
    (pytester.path / name).write_text(code)
    outcomes = pytester.runpytest_inprocess(
        "-p", "no:asyncio", "-k", "whole_or_not or is_away"
    ).parseoutcomes()
    assert outcomes == {"passed": 1, "skipped": 1, "deselected": outcomes["deselected"]}
