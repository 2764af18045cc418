"""The inside of a process that is killed: a host with a bot and an API, served on loopback."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from agent_framework import Agent

from hosting import AgentFrameworkHost, HostLimits
from hosting.state import HostStateStore, PostgresHostStateStore, SqliteHostStateStore
from hosting.state.folder import FolderHold
from hosting_responses import ResponsesChannel
from hosting_testkit.conformance.reference import BotChannel
from hosting_testkit.simulators.bot.platform import TOKEN
from hosting_testkit.targets import ScriptedChatClient
from hosting_testkit.targets import steps as said

from .early_bot import EarlyBot
from .job import HANG, SECRET, Job, Place
from .later_time import LaterTime
from .seen_bot import SeenEditBot
from .steps import CountedSends, Report, Steps, count_units

_INTERVAL = 0.01


def run(job: Job, report: Report) -> None:
    """Serves until it is killed or told to stop."""
    logging.disable(logging.CRITICAL)
    asyncio.run(_serve(job, report))


async def _serve(job: Job, report: Report) -> None:
    steps = Steps(job.kill, report)
    transport = CountedSends(httpx.AsyncHTTPTransport(verify=False), steps)
    async with httpx.AsyncClient(base_url=job.platform, transport=transport) as http:
        host = AgentFrameworkHost(
            _target(job, steps, report),
            channels=[_bot(job, http), ResponsesChannel()],
            state=count_units(_store(job.place), steps),
            time_source=LaterTime(job.later),
            limits=HostLimits(drain_timeout=job.drain_timeout),
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, host.begin_drain)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            config = uvicorn.Config(host.app, loop="asyncio", http="h11", log_config=None, lifespan="on")
            await _Server(config, steps, report, listening.getsockname()[1]).serve(sockets=[listening])


class _Server(uvicorn.Server):
    """Says when it serves, and at its end how many steps there were."""

    def __init__(self, config: uvicorn.Config, steps: Steps, report: Report, port: int) -> None:
        super().__init__(config)
        self._steps = steps
        self._report = report
        self._port = port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._report(ready=self._port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self._report(steps=self._steps.count)


def _store(place: Place) -> HostStateStore:
    match place.kind:
        case "folder":
            return SqliteHostStateStore(Path(place.address) / "hosting.db", hold=FolderHold(place.address))
        case "sqlite":
            return SqliteHostStateStore(place.address)
        case _:
            return PostgresHostStateStore(place.address, schema=place.schema, pool_size=3)


def _bot(job: Job, http: httpx.AsyncClient) -> BotChannel:
    if job.bot != "seen":
        bot_class = EarlyBot if job.bot == "early" else BotChannel
        return bot_class(secret=SECRET, token=TOKEN, http=http)
    bot = SeenEditBot(secret=SECRET, token=TOKEN, http=http, name="bot", path="/bot")
    bot.interval = _INTERVAL
    return bot


def _target(job: Job, steps: Steps, report: Report) -> Any:
    """Core's agent; says how many messages of the person it sees, so that the history shows."""

    def script(messages: Any, options: Any) -> Any:
        del options
        text = messages[-1].text
        number = steps.begin("target")
        report(running=text)
        if text == HANG and job.hangs:
            return [said.Stop("never")]
        steps.end(number, "target")
        heard = sum(message.role == "user" for message in messages)
        return [f"{text}: ", said.Sleep(job.pause), "heard ", said.Sleep(job.pause), str(heard)]

    return Agent(client=ScriptedChatClient(script=script))
