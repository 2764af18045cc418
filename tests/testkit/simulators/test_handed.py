"""Updates of a test's own making reach a poller: until they are confirmed, and at least once."""

from __future__ import annotations

from typing import Any

import httpx

from hosting_testkit import virtual_time
from hosting_testkit.simulators import BotPlatform, HandedUpdates
from hosting_testkit.transports.http import StreamingASGITransport


class Poller:
    """The platform as a driver and a poller see it."""

    def __init__(self) -> None:
        self.platform = BotPlatform()
        transport = StreamingASGITransport(HandedUpdates(self.platform.app).app)
        headers = {"authorization": f"Bearer {self.platform.token}"}
        self.http = httpx.AsyncClient(base_url="http://platform", transport=transport, headers=headers)

    async def hand(self, *ids: str) -> None:
        for update_id in ids:
            await self.http.post(HandedUpdates.PATH, json={"id": update_id, "kind": "message"})

    async def poll(self, offset: int = 0, timeout: float = 0) -> list[int]:
        answer = await self.http.post("/bot/getUpdates", json={"offset": offset, "timeout": timeout})
        found: list[dict[str, Any]] = answer.json()["result"]
        return [update["id"] for update in found]

    async def close(self) -> None:
        await self.http.aclose()
        await self.platform.http.aclose()


@virtual_time
async def test_an_update_is_given_until_it_is_confirmed() -> None:
    poller = Poller()
    await poller.hand("7", "x")
    assert await poller.poll() == [7, 8]
    assert await poller.poll() == [7, 8]
    await poller.hand("y")
    assert await poller.poll(offset=8) == [8, 9]
    assert await poller.poll(offset=10) == []
    await poller.close()


@virtual_time
async def test_what_is_no_id_stays_as_it_is_and_comes_once() -> None:
    """No offset could confirm it."""
    poller = Poller()
    for update in ({"kind": "message"}, {"id": None}, {"id": "x"}):
        await poller.http.post(HandedUpdates.PATH, json=update)
    answer = await poller.http.post("/bot/getUpdates", json={"offset": 0})
    assert answer.json()["result"] == [{"kind": "message"}, {"id": None}, {"id": 1}]
    assert await poller.poll() == [1]
    await poller.close()


@virtual_time
async def test_an_id_that_was_confirmed_is_given_once_more_under_its_number() -> None:
    poller = Poller()
    await poller.hand("7", "x")
    assert await poller.poll() == [7, 8]
    await poller.hand("x")
    assert await poller.poll(offset=9) == [8]
    assert await poller.poll(offset=9) == []
    await poller.close()


@virtual_time
async def test_other_methods_reach_the_platform() -> None:
    poller = Poller()
    answer = await poller.http.post("/bot/getMe")
    assert answer.json()["result"]["name"] == "helper"
    await poller.close()
