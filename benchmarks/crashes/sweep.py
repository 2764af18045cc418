"""Kills a scenario at each of its steps, one process life each."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from . import apis, chats
from .job import Place
from .processes import Processes, processes
from .stage import Platforms, Stage, platforms, stage
from .verdict import outcome

Drive = Callable[[Stage, tuple[str, int | str] | None], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that people do while a process dies.

    Args:
        name: Short.
        drive: Plays it to its end; what went wrong.
        bot: Which bot.
        shared: Whether it needs a store that hosts share.
        at_once: How many runs at a time; those that wait for a lease do nothing else.
    """

    name: str
    drive: Drive
    bot: str = "plain"
    shared: bool = False
    at_once: int = 3


SCENARIOS = [
    Scenario("reply", chats.two_messages),
    Scenario("streamed reply", chats.two_messages, bot="seen"),
    Scenario("one lane", chats.one_lane),
    Scenario("command", chats.a_command),
    Scenario("draining", chats.while_draining),
    Scenario("API with a key", apis.with_a_key),
    Scenario("API stream", apis.streamed),
    Scenario("two hosts", chats.taken_over, shared=True, at_once=12),
]


@dataclass(frozen=True, slots=True)
class Found:
    """One run.

    Args:
        scenario: Its name.
        store: Where its state was.
        step: Where the process died; None: it did not.
        outcome: What came of it, in a word.
        defects: What was wrong.
    """

    scenario: str
    store: str
    step: str | None
    outcome: str
    defects: Sequence[str]


class Sweep:
    """Runs scenarios.

    Args:
        makes: Starts processes.
        served: The platforms.
        folder: For files.
        postgres: The URL of a database, for the store `postgres`.
    """

    def __init__(self, makes: Processes, served: Platforms, folder: Path, postgres: str | None) -> None:
        self._makes = makes
        self._served = served
        self._folder = folder
        self._postgres = postgres

    async def steps(self, scenario: Scenario, store: str) -> tuple[int, Found]:
        """How many steps the scenario has without a crash, and what came of it."""
        async with (
            self._place(store) as place,
            stage(self._makes, self._served, place, bot=scenario.bot) as on,
        ):
            defects = await scenario.drive(on, None)
            count = on.victims[0].said.get("steps", 0)
            return count, Found(scenario.name, store, None, outcome(on), defects)

    async def run(self, scenario: Scenario, store: str, kill: tuple[str, int | str]) -> Found:
        """One run with a death."""
        async with (
            self._place(store) as place,
            stage(self._makes, self._served, place, bot=scenario.bot) as on,
        ):
            try:
                defects = await scenario.drive(on, kill)
            except Exception as error:
                ran = [(victim.said, victim.ran) for victim in on.victims]
                defects = [f"{type(error).__name__}: {error}; {ran}; {on.sim.person('ann').chat.texts}"]
            step = on.dead.dying if on.dead else None
            return Found(scenario.name, store, step, outcome(on), defects)

    @asynccontextmanager
    async def _place(self, store: str) -> AsyncGenerator[Place]:
        name = secrets.token_hex(6)
        if store != "postgres":
            folder = self._folder / name
            yield Place(store, str(folder if store == "folder" else folder / "state.db"))
            return
        import psycopg

        assert self._postgres
        place = Place("postgres", self._postgres, f"crash_{name}")
        try:
            yield place
        finally:
            async with await psycopg.AsyncConnection.connect(self._postgres, autocommit=True) as connection:
                await connection.execute("SET client_min_messages = warning")
                await connection.execute(f"DROP SCHEMA IF EXISTS {place.schema} CASCADE".encode())


@asynccontextmanager
async def sweep(postgres: str | None = None) -> AsyncGenerator[Sweep]:
    """What a sweep needs, for the length of the block."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hosting-crashes-"))
        makes = await stack.enter_async_context(processes())
        served = await stack.enter_async_context(platforms())
        yield Sweep(makes, served, Path(folder), postgres)


async def every_step(on: Sweep, scenario: Scenario, store: str, *, stride: int = 1) -> AsyncGenerator[Found]:
    """A run without a crash, then one killed before and one after each `stride`-th step."""
    count, first = await on.steps(scenario, store)
    yield first
    room = asyncio.Semaphore(scenario.at_once)

    async def one(kill: tuple[str, int]) -> Found:
        async with room:
            return await on.run(scenario, store, kill)

    kills = [(when, number) for number in range(1, count + 1, stride) for when in ("before", "after")]
    runs = [asyncio.create_task(one(kill)) for kill in kills]
    try:
        for done in asyncio.as_completed(runs):
            yield await done
    finally:
        for run in runs:
            run.cancel()
        await asyncio.wait(runs)
