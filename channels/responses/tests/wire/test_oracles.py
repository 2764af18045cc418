"""The judges see what is too much and what is missing, at any depth."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from channels.responses.tests.oracles import check_response
from channels.responses.tests.wire.conftest import Serve
from channels.responses.tests.wire.test_create import weather_agent

OPTIONAL = {"user", "conversation", "logprobs"}


async def test_a_response_with_one_field_more_or_less_is_refused(serve: Serve):
    served = await serve(weather_agent())
    response = (await served.post(json={"input": "x"})).json()
    check_response(response)

    for place in objects(response):
        for broken in [{**place, "bogus": 1}, *(without(place, key) for key in place.keys() - OPTIONAL)]:
            with pytest.raises((AssertionError, ValueError)):
                check_response(replaced(response, place, broken))


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(item)


def without(place: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in place.items() if name != key}


def replaced(response: dict[str, Any], place: dict[str, Any], broken: dict[str, Any]) -> dict[str, Any]:
    """A copy of the response in which `broken` stands for `place`."""
    return copy.deepcopy(response, {id(place): broken})
