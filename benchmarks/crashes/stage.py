"""One run: its platform, its processes, its state."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn

from hosting_testkit.simulators import UNPACED, BotLimits, BotPlatform, RedeliveryPolicy
from hosting_testkit.transports.asgi import ASGIApp

from .books import Books
from .job import SECRET, Job, Place
from .later_time import LaterTime
from .processes import Processes, Victim

LEASE_OVER = 20.0
"""Seconds by which the clock of a process is ahead that takes over on a shared store: the lease has run out."""

_LOOK = 0.01
_PATIENCE = 45.0
_numbers = itertools.count(1)


class Platforms:
    """A server on loopback for the platforms of all runs, each below a path of its own.

    Attributes:
        address: Where it is.
    """

    address = ""

    def __init__(self) -> None:
        self._apps: dict[str, ASGIApp] = {}

    def add(self, name: str, app: ASGIApp) -> str:
        """The address of one more platform."""
        self._apps[name] = app
        return f"{self.address}/{name}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        _, name, path = scope["path"].split("/", 2)
        await self._apps[name]({**scope, "path": f"/{path}", "raw_path": b"/" + path.encode()}, receive, send)


@asynccontextmanager
async def platforms() -> AsyncGenerator[Platforms]:
    """Serves for the length of the block."""
    found = Platforms()
    config = uvicorn.Config(
        found, port=0, loop="asyncio", lifespan="off", log_config=None, log_level="critical"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(_LOOK)
    port = server.servers[0].sockets[0].getsockname()[1]
    found.address = f"http://127.0.0.1:{port}"
    try:
        yield found
    finally:
        server.should_exit = True
        await serving


class Stage:
    """What a scenario works with.

    Args:
        makes: Starts processes.
        platform: The address of `sim` for them.
        sim: The platform.
        place: The state.
        books: What is written in the state.
        bot: Which bot.

    Attributes:
        victims: All processes so far.
        http: A client for the API.
    """

    def __init__(
        self, makes: Processes, platform: str, sim: BotPlatform, place: Place, books: Books, bot: str
    ) -> None:
        self.sim = sim
        self.place = place
        self.books = books
        self.victims: list[Victim] = []
        self.http = httpx.AsyncClient(
            transport=_ToLiving(self.living), base_url="http://127.0.0.1", timeout=20
        )
        self._makes = makes
        self._platform = platform
        self._bot = bot

    def living(self) -> int | None:
        """The port of the first process that serves."""
        return next((victim.port for victim in self.victims if victim.port), None)

    @property
    def dead(self) -> Victim | None:
        """The process that killed itself."""
        return next((victim for victim in self.victims if victim.dying), None)

    async def start(self, **options: Any) -> Victim:
        """A process that serves, or that has died on the way there."""
        job = Job(f"v{next(_numbers)}", self.place, self._platform, self._bot, **options)
        victim = await self._makes.start(job)
        self.victims.append(victim)
        await victim.until("ready")
        return victim

    async def start_again(self) -> None:
        """The next process, if none serves; on a shared store the lease of the last one has run out by then."""
        if self.living() is None:
            for victim in self.victims:
                await victim.until("exit")
            await self.start(later=LEASE_OVER if self.place.shared else 0.0)
            assert self.living(), f"the next process did not start: {self.victims[-1].said}"

    def says(self, text: str) -> None:
        """Ann writes to the bot."""
        self.sim.person("ann").says(text)

    async def settled(self) -> None:
        """Waits until the platform has delivered everything and the state has nothing open; starts what died.

        Raises:
            TimeoutError: That did not happen.
        """
        async with asyncio.timeout(_PATIENCE):
            while self.sim.pending or self.books.open():
                await self.start_again()
                await asyncio.sleep(_LOOK)

    async def until(self, happened: Callable[[], object]) -> None:
        """Waits for something.

        Raises:
            TimeoutError: It did not happen.
        """
        async with asyncio.timeout(_PATIENCE):
            while not happened():  # noqa: ASYNC110 - it may happen in a file
                await asyncio.sleep(_LOOK)


@asynccontextmanager
async def stage(
    makes: Processes,
    served: Platforms,
    place: Place,
    *,
    bot: str = "plain",
    clock: LaterTime | None = None,
) -> AsyncGenerator[Stage]:
    """A run in an empty state; its processes are killed in the end."""
    policy = RedeliveryPolicy(max_attempts=10_000, backoff=(0.02,), timeout=20.0)
    with Books.of(place) as books:
        async with BotPlatform(limits=BotLimits(**UNPACED), policy=policy, clock=clock) as sim:
            found = Stage(makes, served.add(f"p{next(_numbers)}", sim.app), sim, place, books, bot)
            sim.reach(_ToLiving(found.living))
            async with found.http, sim.client() as admin:
                hook = {"url": "http://127.0.0.1/bot/events", "secret": SECRET}
                await admin.post("/bot/setWebhook", json=hook)
                try:
                    yield found
                finally:
                    for victim in found.victims:
                        await victim.kill()


class _ToLiving(httpx.AsyncBaseTransport):
    """To the port of whichever process serves."""

    def __init__(self, port: Callable[[], int | None]) -> None:
        self._port = port
        self._inner = httpx.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = self._port()
        if port is None:
            raise httpx.ConnectError("no process serves", request=request)
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)
        request.headers["host"] = f"127.0.0.1:{port}"
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
