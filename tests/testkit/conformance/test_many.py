"""Things that are done many times in a row, and the forms of a wait."""

from __future__ import annotations

import asyncio

from hosting_testkit import virtual_time
from hosting_testkit.conformance.many import MANY, times
from hosting_testkit.conformance.retry_after import other_forms
from hosting_testkit.drivers import PlatformAnswer


@virtual_time
async def test_the_times_are_counted_until_one_fails_or_is_stuck() -> None:
    slots = asyncio.Semaphore(16)

    async def done(number: int) -> bool:
        return True

    async def failing(number: int) -> bool:
        return number < 7

    async def kept(number: int) -> bool:
        return await slots.acquire()

    assert [await times(one) for one in (done, failing, kept)] == [MANY, 7, 16]


def test_a_refusal_says_in_other_forms_when_to_come_again() -> None:
    refusal = PlatformAnswer(status=429, headers={"Retry-After": "7", "x": "y"}, body=b"no")
    forms = other_forms(refusal, 1_767_225_607.0)
    assert [form.headers for form in forms.values()] == [
        {"x": "y", "retry-after": "Thu, 01 Jan 2026 00:00:07 GMT"},
        {"x": "y", "retry-after": "soon"},
    ]
    assert {(form.status, form.body) for form in forms.values()} == {(429, b"no")}


def test_a_platform_with_a_form_of_its_own_has_no_other() -> None:
    assert other_forms(PlatformAnswer(status=429, body=b'{"wait": 7}'), 0.0) == {}
