"""The stores on which operators' commands are run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.operators import Place
from tests.state import postgres_server


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "state"
    if request.param == "sqlite":
        yield Place(folder)
    else:
        with postgres_server.own_schema() as schema:
            yield Place(folder, schema)
