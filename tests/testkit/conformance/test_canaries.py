"""Secrets are found wherever they stand, by the name of the secret and of the place."""

from __future__ import annotations

import httpx

from hosting_testkit.conformance.canaries import answers, found_in, places_of
from hosting_testkit.conformance.refusals import Refusal
from hosting_testkit.drivers.wire import Wire

SECRETS = {"token": "123456:ABC-def/ghi", "short": "x"}


def test_a_secret_is_told_once_for_each_place() -> None:
    places = {"the log": ["a 123456:ABC-def/ghi b", "123456:ABC-def/ghi"], "repr": ["nothing"]}
    assert found_in(SECRETS, places) == ["token in the log"]


def test_a_secret_in_a_log_record_is_told_with_the_line_that_wrote_it() -> None:
    places = {"the log": ["DEBUG acme/channel.py:7 acme: asked with 123456:ABC-def/ghi"]}
    assert found_in(SECRETS, places) == ["token in the log (acme/channel.py:7)"]


def test_a_secret_in_an_address_is_found_though_it_is_quoted() -> None:
    assert found_in(SECRETS, {"address": ["https://x/bot123456%3AABC-def%2Fghi/getMe"]}) == [
        "token in address"
    ]


def test_a_text_too_short_to_be_a_secret_is_not_looked_for() -> None:
    assert found_in(SECRETS, {"the log": ["x"]}) == []


def test_answers_are_headers_bodies_and_frames() -> None:
    wire = Wire(status=200, headers={"x": "head"}, body=b"body", frames=("text", b"bytes"))
    assert list(answers([wire])) == ["{'x': 'head'}", "body", "text", "bytes"]


def test_a_request_has_an_address_and_contents() -> None:
    request = httpx.Request("POST", "https://x/a", headers={"authorization": "Bearer t"}, content=b"hello")
    places = places_of(request)
    assert list(places["address"]) == ["https://x/a"]
    assert "authorization: Bearer t" in places["contents"]
    assert "hello" in places["contents"]


def test_refusals_are_compared_without_the_ids_of_their_requests() -> None:
    one = Wire(
        status=401,
        headers={"x-request-id": "req_0123456789ab", "date": "now"},
        body=b'{"id":"err_0123456789ab"}',
    )
    two = Wire(
        status=401,
        headers={"x-request-id": "req_ba9876543210", "date": "then"},
        body=b'{"id":"err_ba9876543210"}',
    )
    other = Wire(status=401, headers={"x-request-id": "req_ba9876543210"}, body=b'{"why":"expired"}')
    assert Refusal.of(one) == Refusal.of(two)
    assert Refusal.of(one) != Refusal.of(other)
