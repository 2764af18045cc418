"""The suite finds what is wrong with broken stores; a check that finds nothing proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosting_testkit.stores import CHECKS, HostStateStoreSuite, StoreDefect, StorePlace
from tests.state.broken_catalogue import BROKEN, broken_place
from tests.state.suite_places import MemoryPlace

BY_NAME = {check.name: check for check in CHECKS}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_store_is_found(name: str, tmp_path: Path) -> None:
    place = broken_place(name, tmp_path)
    check = BY_NAME[BROKEN[name][1]]
    assert check.left_out(place) is None
    with pytest.raises(StoreDefect):
        check.run(place)


def test_every_check_finds_a_broken_store() -> None:
    assert {check for _, check in BROKEN.values()} == set(BY_NAME)


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(CHECKS)


def test_what_a_place_cannot_do_is_left_out_with_a_reason() -> None:
    reasons = {check.name: reason for check in CHECKS if (reason := check.left_out(MemoryPlace()))}
    assert reasons == {
        "shows_a_unit_to_others_once_it_returned": "the place says that one store at a time uses the state",
        "holds_everything_when_it_is_opened_again": "the store does not say that it is durable",
        "loses_nothing_acknowledged_when_its_process_is_killed": "the store does not say that it is durable",
        "refuses_a_newer_state_and_leaves_it": "the store does not say that it is durable",
        "refuses_a_damaged_state_and_leaves_it": "the store does not say that it is durable",
        "says_so_while_its_state_is_away_and_works_again_afterwards": "the place has no take_away, bring_back",
    }


AUTHOR = """
from hosting import InMemoryHostStateStore
from hosting_testkit.stores import HostStateStoreSuite, StorePlace
import pytest

class MyPlace(StorePlace):
    def store(self):
        return InMemoryHostStateStore()

class TestMyStore(HostStateStoreSuite):
    @pytest.fixture
    def place(self):
        return MyPlace()

class TestForgotten(HostStateStoreSuite):
    pass
"""


def test_an_author_needs_ten_lines_and_no_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(AUTHOR)
    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-k", "answers or order or order_of")
    result.stdout.fnmatch_lines(["*TestForgotten has no place for its store: override the fixture*"])
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] >= 2
    assert "failed" not in outcomes
    assert HostStateStoreSuite is not None and StorePlace is not None
