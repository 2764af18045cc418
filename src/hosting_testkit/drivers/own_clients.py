"""The network that clients of httpx meet which a channel makes by itself: the simulator, and nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Collection, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from ..transports.network import trusted_roots


class OwnClients:
    """Stands in for the network, as long as it is entered.

    Args:
        way: Leads to the simulator.
        hosts: Where the simulator is.

    Attributes:
        unverified: How many clients were made that would trust any certificate.
    """

    def __init__(self, way: httpx.AsyncBaseTransport, hosts: Collection[str]) -> None:
        self.unverified = 0
        self._way = way
        self._hosts = hosts
        self._pools: WeakKeyDictionary[httpx.AsyncHTTPTransport, asyncio.Semaphore] = WeakKeyDictionary()

    @contextmanager
    def entered(self) -> Generator[None]:
        """Inside it the requests of every such client come here."""
        transport, own = httpx.AsyncHTTPTransport, self
        make, real = transport.__init__, transport.handle_async_request

        def made(self: httpx.AsyncHTTPTransport, verify: Any = True, *rest: Any, **options: Any) -> None:
            own._made(self, verify, options.get("limits"))
            make(self, trusted_roots() if verify is True else verify, *rest, **options)

        async def sent(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            return await own._sent(self, request)

        transport.__init__, transport.handle_async_request = made, sent
        try:
            yield
        finally:
            transport.__init__, transport.handle_async_request = make, real

    def _made(self, transport: httpx.AsyncHTTPTransport, verify: object, limits: httpx.Limits | None) -> None:
        anything = verify.verify_mode is ssl.CERT_NONE if isinstance(verify, ssl.SSLContext) else not verify
        self.unverified += anything
        if limits is not None and limits.max_connections is not None:
            self._pools[transport] = asyncio.Semaphore(limits.max_connections)

    async def _sent(self, transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.host not in self._hosts:
            raise httpx.ConnectError(f"the platform is not at {request.url}", request=request)
        async with _connection(self._pools.get(transport), request):
            return await self._way.handle_async_request(request)


@asynccontextmanager
async def _connection(pool: asyncio.Semaphore | None, request: httpx.Request) -> AsyncGenerator[None]:
    """One of the connections that the client asked for, when there is one."""
    if pool is None:
        yield
        return
    try:
        async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
            await pool.acquire()
    except TimeoutError as error:
        raise httpx.PoolTimeout("all connections of the client are taken", request=request) from error
    try:
        yield
    finally:
        pool.release()
