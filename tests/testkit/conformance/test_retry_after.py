"""The forms of `Retry-After`, and a machine whose own time is not UTC."""

from __future__ import annotations

import os
import sys
import time

import pytest

from hosting_testkit.conformance.retry_after import DATE, MISSING, far_from_utc, other_forms
from hosting_testkit.drivers import PlatformAnswer


def test_a_refusal_has_other_forms() -> None:
    refusal = PlatformAnswer(status=429, headers={"Retry-After": "7", "x": "y"}, body=b"no")
    forms = {how: answer.headers.get("retry-after") for how, answer in other_forms(refusal, 0.0).items()}
    assert forms == {
        DATE: "Thu, 01 Jan 1970 00:00:00 GMT",
        "cannot be read": "soon",
        "is endless": "9" * 400,
        MISSING: None,
    }
    others = {(answer.status, answer.body) for answer in other_forms(refusal, 0.0).values()}
    assert others == {(429, b"no")}


def test_a_platform_without_the_header_has_no_other_form() -> None:
    assert other_forms(PlatformAnswer(status=429, headers={"x": "y"}), 0.0) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="the zone of a process cannot be set there")
def test_the_machine_is_far_from_utc_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    with far_from_utc():
        assert time.timezone == -45_900
    assert (os.environ["TZ"], time.timezone) == ("UTC", 0)
    monkeypatch.delenv("TZ")
    with far_from_utc():
        pass
    assert "TZ" not in os.environ
