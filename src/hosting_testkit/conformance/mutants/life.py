"""Channels that start too late or leave something behind."""

from __future__ import annotations

import asyncio

import httpx

from hosting import InboundEvent

from ..reference import BotChannel, PollingBotChannel
from ..reference.bot import PLATFORM_URL
from .model import mutant


@mutant("serve-before-start", kills={"HC-LIFE-001": "the first turn is answered"}, answers=False)
class ServeBeforeStart(BotChannel):
    async def start(self) -> None:
        self.context.spawn(self.start_later(), name="start")

    async def start_later(self) -> None:
        await asyncio.sleep(1)
        await super().start()


@mutant("leak-task", kills={"HC-LIFE-005": "task 'poller'"})
class LeakTask(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.poller = asyncio.create_task(asyncio.sleep(3600), name="poller")


@mutant(
    "leak-task-of-a-turn",
    defect="leaves a task behind that shows that it is typing",
    kills={"HC-LIFE-005": "left after the shutdown: FAILED"},
)
class LeakTaskOfATurn(BotChannel):
    async def process(self, event: InboundEvent, /) -> None:
        self.typing = asyncio.create_task(asyncio.sleep(3600), name="typing")
        await super().process(event)


@mutant("leak-client", kills={"HC-LIFE-005": "open httpx.AsyncClient"})
class LeakClient(BotChannel):
    async def stop(self) -> None:
        return


@mutant(
    "own-client-without-an-address",
    defect="makes a client of its own that does not know where the platform is",
    kills={"HC-LIFE-005": "a turn is answered through a client of the channel's own: FAILED"},
)
class OwnClientWithoutAnAddress(BotChannel):
    async def start(self) -> None:
        await super().start()
        if self.given is None:
            self.client.base_url = ""


@mutant(
    "trusts-any-certificate",
    defect="makes a client of its own that believes whoever stands in between",
    kills={"HC-LIFE-005": "clients of its own that trust any certificate: FAILED"},
)
class TrustsAnyCertificate(BotChannel):
    given: httpx.AsyncClient | None

    async def start(self) -> None:
        if self.given is None:
            unverified = httpx.AsyncHTTPTransport(verify=False)
            self.given = httpx.AsyncClient(base_url=PLATFORM_URL, transport=unverified)
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        await self.client.aclose()


@mutant(
    "one-connection",
    defect="has a single connection, and so nothing to answer with while a poll is held",
    kills={"HC-LIFE-005": "a turn is answered through a client of the channel's own: FAILED"},
)
class OneConnection(PollingBotChannel):
    given: httpx.AsyncClient | None

    async def start(self) -> None:
        if self.given is None:
            limits = httpx.Limits(max_connections=1)
            self.given = httpx.AsyncClient(base_url=PLATFORM_URL, limits=limits)
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        await self.client.aclose()


@mutant(
    "writes-its-token-into-the-client",
    defect="has the client that it was given send its token to everybody",
    kills={"HC-LIFE-005": "headers that a given client sends everywhere since: FAILED"},
)
class WritesItsToken(BotChannel):
    async def start(self) -> None:
        await super().start()
        self.client.headers["authorization"] = f"Bearer {self.token}"


@mutant("closes-given-client", kills={"HC-LIFE-005": "given clients that were closed"})
class ClosesGivenClient(BotChannel):
    async def stop(self) -> None:
        await self.client.aclose()
