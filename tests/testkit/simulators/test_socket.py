"""The platform and a bot as two servers on loopback, and faults on a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from hosting_testkit.simulators import BotPlatform
from hosting_testkit.transports import ASGIApp


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serves an app with uvicorn on a port of the system's choice."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not (server.started or serving.done()):
        await asyncio.sleep(0)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def client(sim: BotPlatform, url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {sim.token}"}, timeout=30)


async def test_a_bot_in_another_server_is_told_and_answers() -> None:
    async with BotPlatform() as sim, served(sim.app) as platform:

        async def bot(scope, receive, send) -> None:
            raw, more = b"", True
            while more:
                message = await receive()
                raw, more = raw + message["body"], message["more_body"]
            chat = json.loads(raw)["message"]["chat"]["id"]
            async with client(sim, platform) as http:
                await http.post("/bot/sendMessage", json={"chat": chat, "text": "hello"})
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        async with served(bot) as address, client(sim, platform) as http:
            hook = {"url": f"{address}/updates", "secret": "sixteen-letters!"}
            assert (await http.post("/bot/setWebhook", json=hook)).status_code == 200
            sim.person("ann").says("hi")
            await sim.idle()
            assert sim.chat("ann").texts == ["hi", "hello"]
            assert [attempt.status for attempt in sim.deliveries] == [200]


async def test_a_webhook_where_nobody_listens_is_a_failed_attempt() -> None:
    async with served(BotPlatform().app) as gone:
        pass
    async with BotPlatform() as sim, sim.client() as http:
        await http.post("/bot/setWebhook", json={"url": gone, "secret": "sixteen-letters!"})
        sim.person("ann").says("hi")
        await sim.until(lambda: sim.deliveries)
        assert sim.deliveries[0].status is None and sim.deliveries[0].error


async def test_faults_on_a_real_connection() -> None:
    sim = BotPlatform()
    sim.person("ann").says("hi")
    message = {"chat": "c_ann", "text": "hello"}
    async with served(sim.app) as url, client(sim, url) as http:
        sim.faults.on("sendMessage").nth(1).reply(429, retry_after=3)
        sim.faults.on("sendMessage").nth(2).reset(after_bytes=5)
        sim.faults.on("sendMessage").nth(3).deliver_then_timeout(after=0)
        sim.faults.on("sendMessage").nth(4).timeout(after=0)
        sim.faults.on("sendMessage").nth(5).malformed()
        assert (await http.post("/bot/sendMessage", json=message)).json()["error"]["retry_after"] == 3
        assert sim.chat("ann").bot_texts == []
        for effects in (1, 2, 2):
            with pytest.raises(httpx.RemoteProtocolError):
                await http.post("/bot/sendMessage", json=message)
            assert len(sim.chat("ann").bot_texts) == effects
        assert (await http.post("/bot/sendMessage", json=message)).text.startswith("<html>")
        sim.faults.on("sendMessage").timeout()
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/bot/sendMessage", json=message, timeout=0.05)
        assert len(sim.chat("ann").bot_texts) == 3
