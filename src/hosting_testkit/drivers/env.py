"""What the kit gives a driver to build its channel from: an address, secrets, clients, options."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from hosting import SystemTime, TimeSource

from ..clock import VirtualClock, VirtualLoop
from ..transports.asgi import ASGIApp
from ..transports.http import StreamingASGITransport
from .own_clients import OwnClients
from .trouble import PlatformAnswer, Troubles, troubled
from .wire import PlatformCall

_REFUSAL_SECONDS = 0.01  # so that time passes for whoever tries again at once

PLATFORM_TASK = "platform"
"""How the names of a simulator's tasks begin."""
_REFUSED = 400
_TOLD = 120  # characters of a refusal that the event log holds
_PUBLIC = "93.184.215.14"  # any address that is not private


class Env:
    """The surroundings of one channel in one item; nothing in it outlives the item.

    Args:
        name: The channel's name.
        path: The channel's path.
        options: Hooks and other common options that this item needs; pass them on with `**env.options`.
        platform: The simulator that outbound clients reach.
        gives_client: False makes `outbound` return None, so that the channel has to make its own client.
        latency: Seconds that the platform takes for each call.
        log: Told of each call.
        time_source: What time it is for the channel: for signatures, tokens and their expiry. The kit gives the host's.

    Attributes:
        fetches: Paths by which the channel only fetches its updates; such calls are not in `calls`.
        hosts: Where the platform is: the hosts of the clients that were given.
        requests: Everything that the channel tried to send, whatever became of it.
        pages: What stands on the web, by path: status, headers and content, whichever host is asked.
        addresses: What names resolve to, for `resolve`.
        reachable: Set it to False and the platform is out of reach, as when a network fails.
        refusals: Calls that came while it was.
        unverified: Clients of the channel's own that would trust any certificate.
        answers: Answers that the next calls with a text of the turn get in place of the simulator's, by that text.
        troubles: What happens to calls that hold a certain text.
        around: What the way to the platform is led through, such as the network of a process that can die.
    """

    def __init__(
        self,
        *,
        name: str,
        path: str,
        options: Mapping[str, Any] | None = None,
        platform: ASGIApp | None = None,
        gives_client: bool = True,
        latency: float = 0.0,
        log: Callable[[str, str], None] | None = None,
        time_source: TimeSource | None = None,
    ) -> None:
        self.name = name
        self.path = path
        self.options: dict[str, Any] = {"name": name, "path": path, **(options or {})}
        self.secrets: dict[str, str] = {}
        self.calls: list[PlatformCall] = []
        self.clients: list[httpx.AsyncClient] = []
        self.hosts: set[str] = set()
        self.requests: list[httpx.Request] = []
        self.pages: dict[str, tuple[int, Mapping[str, str], bytes]] = {}
        self.addresses: dict[str, str] = {}
        self.latency = latency
        self.reachable = True
        self.fetches: Collection[str] = ()
        self.refusals = 0
        self.unverified = 0
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.troubles = Troubles()
        self.around: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = _straight
        self.log = log or _not_logged
        self.time_source: TimeSource = time_source or _loops_own() or SystemTime()
        self._platform = platform
        self._gives_client = gives_client

    def secret(self, name: str, *, length: int = 40) -> str:
        """A random secret, the same for the same name. The kit looks for it in everything that leaves the channel."""
        if name not in self.secrets:
            self.secrets[name] = secrets.token_hex(length)[:length]
        return self.secrets[name]

    def outbound(self, base_url: str) -> httpx.AsyncClient | None:
        """A client whose requests reach the driver's simulator and nothing else, or None: make your own.

        It waits as long as the platform takes, but no longer than the channel asks with a request.
        """
        self.hosts.add(httpx.URL(base_url).host)
        if not self._gives_client:
            return None
        transport = self.around(_PlatformTransport(self, self._platform))
        client = httpx.AsyncClient(base_url=base_url, transport=transport, timeout=None)
        self.clients.append(client)
        return client

    @contextmanager
    def internet(self) -> Generator[None]:
        """Inside it clients of httpx that the channel makes by itself reach the simulator too, and nothing else."""
        clients = OwnClients(_PlatformTransport(self, self._platform), self.hosts)
        try:
            with clients.entered():
                yield
        finally:
            self.unverified += clients.unverified

    async def resolve(self, host: str) -> Sequence[str]:
        """The addresses of a name: a public one, unless `addresses` says otherwise. For channels that fetch."""
        return [self.addresses.get(host, _PUBLIC)]

    def platform_client(self) -> httpx.AsyncClient:
        """For the kit: a client of the simulator itself, whose requests are no calls of the channel.

        Raises:
            LookupError: The driver has no platform().
        """
        if self._platform is None:
            raise LookupError('the driver sends an event to="platform" and has no platform(); write it')
        client = httpx.AsyncClient(
            base_url="http://platform", transport=StreamingASGITransport(self._platform)
        )
        self.clients.append(client)
        return client


def _loops_own() -> TimeSource | None:
    """The time of the virtual loop, as a host that starts now has it; bound later it would lag behind."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return VirtualClock().bind(loop) if isinstance(loop, VirtualLoop) else None


def _straight(way: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
    return way


def _not_logged(kind: str, detail: str) -> None:
    return


def _patience(request: httpx.Request) -> float | None:
    """Seconds that the channel waits for an answer; None for as long as it takes."""
    return request.extensions.get("timeout", {}).get("read")


def _named(platform: ASGIApp) -> ASGIApp:
    """The platform, whose tasks say that they are no part of the application."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.set_name(f"{PLATFORM_TASK} {scope['path']}")
        await platform(scope, receive, send)

    return app


class _PlatformTransport(httpx.AsyncBaseTransport):
    """Hands requests to the simulator and records them; without a simulator every host is unreachable."""

    def __init__(self, env: Env, platform: ASGIApp | None) -> None:
        self._env = env
        self._bridge = StreamingASGITransport(_named(platform)) if platform else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._env.requests.append(request)
        if request.url.path in self._env.pages:
            status, headers, content = self._env.pages[request.url.path]
            return httpx.Response(status, headers=dict(headers), content=content)
        if self._bridge is None:
            raise httpx.ConnectError(f"no simulator stands behind {request.url.host}")
        if not self._env.reachable:
            self._env.refusals += 1
            await asyncio.sleep(_REFUSAL_SECONDS)
            raise httpx.ConnectError(f"{request.url.host} is out of reach")
        if self._env.latency:
            await asyncio.sleep(self._env.latency)
        body = await request.aread()
        trouble = self._env.troubles.next(request.url.path, body)
        if trouble is None:
            return await self._answered(request)
        self._env.log("trouble", f"{request.method} {request.url.path}: {type(trouble).__name__}")
        response = await troubled(trouble, request, self._answered)
        return self._noted(request, body, response) if isinstance(trouble, PlatformAnswer) else response

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        """The call takes effect."""
        assert self._bridge is not None
        body = request.content
        response = self._planned(body)
        try:
            async with asyncio.timeout(_patience(request)):
                response = response or await self._bridge.handle_async_request(request)
                await response.aread()
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"{request.url.host} took longer than the channel waits") from error
        return self._noted(request, body, response)

    def _noted(self, request: httpx.Request, body: bytes, response: httpx.Response) -> httpx.Response:
        refused = f": {response.text[:_TOLD]}" if response.status_code >= _REFUSED else ""
        self._env.log(
            "platform", f"{request.method} {request.url.path} -> {response.status_code}{refused}".strip()
        )
        if request.url.path not in self._env.fetches:
            call = PlatformCall(
                method=request.method,
                path=request.url.path,
                body=body,
                status=response.status_code,
                answer=response.content,
            )
            self._env.calls.append(call)
        return response

    def _planned(self, body: bytes) -> httpx.Response | None:
        for text, (status, answer) in list(self._env.answers.items()):
            if text.encode() in body:
                del self._env.answers[text]
                return httpx.Response(status, content=answer)
        return None

    async def aclose(self) -> None:
        if self._bridge is not None:
            await self._bridge.aclose()
