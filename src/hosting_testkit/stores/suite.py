"""The suite for authors of stores, as a class for pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from .check import StoreCheck
from .checks import CHECKS
from .place import StorePlace


def _name(check: StoreCheck) -> str:
    return check.name


class HostStateStoreSuite:
    """Tries everything that `HostStateStore` promises. Give it a place and pytest runs one test for each promise:

        class TestMyStore(HostStateStoreSuite):
            @pytest.fixture
            def place(self, tmp_path):
                return MyPlace(tmp_path)

    It needs no plugin: each test has an event loop of its own. A test is skipped where the place cannot do what it needs, and
    says so.
    """

    @pytest.fixture
    def place(self, tmp_path: Path) -> StorePlace:
        """A fresh place for one test; override it."""
        raise NotImplementedError(
            f"{type(self).__name__} has no place for its store: override the fixture `place` with one that returns a "
            "StorePlace"
        )

    @pytest.mark.parametrize("check", CHECKS, ids=_name)
    def test_the_store(self, check: StoreCheck, place: StorePlace) -> None:
        reason = check.left_out(place)
        if reason is not None:
            pytest.skip(reason)
        check.run(place)
