"""What is alive beside the channel is counted without a walk through all objects."""

from __future__ import annotations

import httpx

from hosting_testkit import virtual_time
from hosting_testkit.conformance.census import Census, clients_noted


class _Own(httpx.AsyncClient):
    """Somebody's own kind of client."""


@virtual_time
async def test_an_open_client_is_counted_until_it_is_closed() -> None:
    with clients_noted():
        before = Census.take()
        client = _Own(base_url="https://files.example")
        assert Census.take().left_over_from(before) == ["open httpx.AsyncClient for https://files.example"]
        assert Census.take(known=[client]).left_over_from(before) == []
        await client.aclose()
        assert Census.take().left_over_from(before) == []


@virtual_time
async def test_clients_of_others_are_left_alone() -> None:
    made = httpx.AsyncClient.__init__
    with clients_noted():
        assert httpx.AsyncClient.__init__ is not made
    assert httpx.AsyncClient.__init__ is made
    before = Census.take()
    async with httpx.AsyncClient():
        assert Census.take().left_over_from(before) == []
