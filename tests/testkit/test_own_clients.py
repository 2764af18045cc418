"""Clients of httpx that a channel makes by itself reach the simulator, over as many connections as they asked for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator

import httpx
import pytest

from hosting_testkit.clock import virtual_time
from hosting_testkit.drivers.own_clients import OwnClients

HOST = "https://bots.example"


class Slow(httpx.AsyncBaseTransport):
    """Answers after ten seconds."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(10)
        return httpx.Response(200, text="here")


@pytest.fixture
def network() -> Iterator[OwnClients]:
    clients = OwnClients(Slow(), {"bots.example"})
    with clients.entered():
        yield clients


@virtual_time
async def test_a_client_of_its_own_comes_to_the_simulator_and_nowhere_else(network: OwnClients) -> None:
    async with httpx.AsyncClient(base_url=HOST) as client:
        assert (await client.get("/")).text == "here"
        with pytest.raises(httpx.ConnectError, match="the platform is not at"):
            await client.get("https://elsewhere.example")
    assert network.unverified == 0


@virtual_time
async def test_one_connection_is_for_one_request_at_a_time(network: OwnClients) -> None:
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(base_url=HOST, limits=limits, timeout=30) as patient:
        begun = asyncio.get_running_loop().time()
        await asyncio.gather(patient.get("/1"), patient.get("/2"))
        assert asyncio.get_running_loop().time() - begun == pytest.approx(20)
    async with httpx.AsyncClient(base_url=HOST, limits=limits, timeout=5) as impatient:
        answers = await asyncio.gather(impatient.get("/1"), impatient.get("/2"), return_exceptions=True)
        assert [type(answer) for answer in answers] == [httpx.Response, httpx.PoolTimeout]


@virtual_time
async def test_clients_that_trust_any_certificate_are_counted(network: OwnClients) -> None:
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    for verify in (False, careless, ssl.create_default_context()):
        await httpx.AsyncClient(verify=verify).aclose()
    assert network.unverified == 2


def test_afterwards_httpx_is_as_it_was() -> None:
    before = httpx.AsyncHTTPTransport.__init__, httpx.AsyncHTTPTransport.handle_async_request
    with OwnClients(Slow(), ()).entered():
        pass
    assert (httpx.AsyncHTTPTransport.__init__, httpx.AsyncHTTPTransport.handle_async_request) == before
