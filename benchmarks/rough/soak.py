"""One host on loopback in this process, its clients beside it, and what is left after each part of many turns.

After each part the clients rest, their conversations are deleted and what expires is removed, as it would be a month
later. So what is measured then is what many turns leave behind for good: it must not grow.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import sys
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import psutil
import uvicorn

from hosting import AgentFrameworkHost
from hosting.state import StateUnavailable
from hosting.state.expiry import sweep
from hosting.state.tables import instances
from hosting_responses import ResponsesChannel

from .. import postgres
from ..places import Place
from .clients import Clients
from .store import AwayStore
from .target import RoughAgent

_CONVERSATIONS = 50
_MONTH_MS = 40 * 24 * 3_600_000
_LEASE_MS = 15_000
_KEPT_READY = ("asyncio_", "uvloop_")
"""How the names of the threads begin that an event loop keeps for whoever needs one."""

_PATIENCE = 60.0
"""Seconds within which all that a part began has to end."""

_LOOK = 0.05
_CUT_EVERY = 4
"""Parts after which the connections of a PostgreSQL store are cut once more."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left at one moment.

    Args:
        turns: Turns so far.
        resident_bytes: Memory of the process, clients included.
        used_bytes: What is in use of the database.
        tasks: Tasks of the event loop.
        threads: Threads of the process, but for those that the event loop keeps ready.
        files: Open files and sockets.
        connections: Connections to PostgreSQL.
        cpu_us: Processor time of one turn of the last part, clients included.
    """

    turns: int
    resident_bytes: int
    used_bytes: int
    tasks: int
    threads: int
    files: int
    connections: int
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Soaked:
    """A whole soak.

    Args:
        before: Before the host started.
        parts: After each part.
        after: After the host stopped.
        outcomes: How often each thing happened.
        refused: Units that the store refused.
    """

    before: Left
    parts: list[Left]
    after: Left
    outcomes: dict[str, int]
    refused: int


async def soak(place: Place, *, turns: int, parts: int, at_once: int, until: float) -> Soaked:
    """Runs a host in `place` through so many turns.

    Args:
        place: Where its state is.
        turns: In all.
        parts: Moments at which is looked what is left.
        at_once: Clients.
        until: No part begins later than that (`time.monotonic`).
    """
    store, agent = AwayStore(place.store()), RoughAgent()
    await store.open()
    await store.close()
    before, taken, done = _left(place, 0, 0.0), list[Left](), 0
    with _quiet():
        host = AgentFrameworkHost(agent, channels=[ResponsesChannel()], state=store)
        async with _served(host) as http:
            clients = Clients(http)
            for part in range(parts):
                if taken and time.monotonic() > until:
                    break
                cpu = time.process_time_ns()
                cutting = place if place.kind == "postgres" and part % _CUT_EVERY == 0 else None
                await _part(clients, store, turns // parts, at_once, cutting)
                done += turns // parts
                cpu_us = (time.process_time_ns() - cpu) / (turns // parts) / 1_000
                await _at_rest(agent)
                await _clean_up(place, store, host.instance)
                taken.append(_left(place, done, cpu_us))
    return Soaked(before, taken, _left(place, done, 0.0), dict(clients.outcomes), store.refused)


async def _part(clients: Clients, store: AwayStore, turns: int, at_once: int, cutting: Place | None) -> None:
    """So many turns; in their middle the connections to `cutting` are cut, if one is given."""
    store.steady = False
    conversations = await clients.conversations(_CONVERSATIONS)
    await clients.turns(conversations, turns // 2, at_once=at_once)
    cut = asyncio.create_task(asyncio.to_thread(_cut_connections, cutting)) if cutting else None
    await clients.turns(conversations, turns - turns // 2, at_once=at_once)
    if cut is not None:
        await cut
    store.steady = True
    await clients.forget(conversations)


async def _at_rest(agent: RoughAgent) -> None:
    """Waits until nothing runs any more."""
    ends = time.monotonic() + _PATIENCE
    while agent.running:
        if time.monotonic() > ends:
            raise RuntimeError(f"{agent.running} runs did not end though their clients had gone")
        await asyncio.sleep(_LOOK)


async def _clean_up(place: Place, store: AwayStore, host: str) -> None:
    """Removes all that expires, a month early; but for the host's lease, which is not a month old."""
    now, ends = time.time_ns() // 1_000_000, time.monotonic() + _PATIENCE
    while True:
        try:
            removed = await sweep(store, now + _MONTH_MS)
            await store.execute(instances.keep_instance(host, now_ms=now, until_ms=now + _LEASE_MS))
            if removed <= 1:  # the lease itself
                break
        except StateUnavailable:  # its connections were cut
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(_LOOK)
    place.free()


def _left(place: Place, turns: int, cpu_us: float) -> Left:
    gc.collect()
    _give_back()
    process = psutil.Process()
    return Left(
        turns=turns,
        resident_bytes=process.memory_info().rss,
        used_bytes=place.used_bytes(),
        tasks=len(asyncio.all_tasks()),
        threads=sum(not thread.name.startswith(_KEPT_READY) for thread in threading.enumerate()),
        files=process.num_fds(),
        connections=_connections(place),
        cpu_us=cpu_us,
    )


def _give_back() -> None:
    """What the C library holds free goes back to the system, so that what is read is in use."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _connections(place: Place) -> int:
    if place.kind != "postgres":
        return 0
    found = postgres.run(f"SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = '{place.where}'")
    return int(found[0][0])


def _cut_connections(place: Place) -> None:
    postgres.run(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{place.where}'"
    )


@contextmanager
def _quiet() -> Generator[None]:
    """Without the lines about what goes wrong here on purpose."""
    loggers = [logging.getLogger(name) for name in ("hosting", "httpx", "uvicorn.error")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@asynccontextmanager
async def _served(host: AgentFrameworkHost) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the host, which is served for the length of the block."""
    config = uvicorn.Config(host.app, port=0, log_config=None, access_log=False, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if serving.done():
                raise RuntimeError("the host did not start")
            await asyncio.sleep(_LOOK)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE) as http:
            yield http
    finally:
        server.should_exit = True
        await serving
