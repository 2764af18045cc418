"""The host contract, as the conformance kit judges it (channels 0.3)."""

from __future__ import annotations

from hosting_responses.conformance import driver
from hosting_testkit.conformance import check_channel


def test_the_channel_keeps_the_contract():
    check_channel(driver).raise_for_failures()
