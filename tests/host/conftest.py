from __future__ import annotations

from typing import Any

import pytest

from tests import documents


@pytest.fixture(scope="session")
def say_channel() -> Any:
    """The channel of docs/first-channel.md: what a newcomer writes must show every behaviour of the host."""
    return documents.run("docs/first-channel.md", "first_channel")["SayChannel"]
