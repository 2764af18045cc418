"""Scenarios of chats: what is said, and what must be seen."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import httpx

from .job import HANG
from .stage import Stage
from .verdict import chat_defects

_LOOK = 0.01
Kill = tuple[str, int | str] | None


async def two_messages(stage: Stage, kill: Kill) -> list[str]:
    """A message, then another."""
    await stage.start(kill=kill)
    for text in ("one", "two"):
        stage.says(text)
        await stage.settled()
    await _stopped(stage)
    return chat_defects(stage, ["one", "two"])


async def one_lane(stage: Stage, kill: Kill) -> list[str]:
    """Three messages at once, in one lane."""
    await stage.start(kill=kill)
    texts = ["one", "two", "three"]
    for text in texts:
        stage.says(text)
    await stage.settled()
    await _stopped(stage)
    return chat_defects(stage, stage.books.accepted())


async def a_command(stage: Stage, kill: Kill) -> list[str]:
    """A command, then a message in the conversation that it began."""
    await stage.start(kill=kill)
    stage.says("/new")
    await stage.settled()
    stage.says("one")
    await stage.settled()
    await _stopped(stage)
    replies = [text for text in stage.sim.chat("ann").bot_texts if text.startswith("one")]
    wrong = [text for text in replies if text != "one: heard 1"]
    found = chat_defects(stage, ["A new conversation begins.", "one: heard 1"], answer="{}")
    return found + [f"found {text!r}, expected 'one: heard 1'" for text in wrong]


async def while_draining(stage: Stage, kill: Kill) -> list[str]:
    """A turn that the shutdown cuts off, and an event that comes meanwhile."""
    first = await stage.start(kill=kill, hangs=True)
    stage.says(HANG)
    await stage.until(lambda: HANG in first.ran or first.gone)
    first.signal(signal.SIGUSR1)
    while not first.gone and await _ready(stage):  # noqa: ASYNC110 - it is another process
        await asyncio.sleep(_LOOK)
    stage.says("late")
    if not first.gone:
        await stage.until(lambda: _refused(stage) or first.gone)
    first.signal(signal.SIGTERM)
    await first.until("exit")
    await stage.settled()
    return chat_defects(stage, stage.books.accepted())


async def taken_over(stage: Stage, kill: Kill) -> list[str]:
    """Two hosts on one store; the one that has the event is killed."""
    first = await stage.start(kill=kill)
    await stage.start()
    for text in ("one", "two"):
        stage.says(text)
        await stage.settled()
    first.signal(signal.SIGTERM)
    await first.until("exit")
    return chat_defects(stage, ["one", "two"])


async def _ready(stage: Stage) -> bool:
    try:
        return (await stage.http.get("/readiness")).status_code == 200
    except httpx.HTTPError:
        return False


def _refused(stage: Stage) -> bool:
    return any(attempt.status == 503 for attempt in stage.sim.deliveries)


async def _stopped(stage: Stage) -> None:
    """Ends the first process in good order, where it has not died, so that it can die on the way."""
    first: Any = stage.victims[0]
    first.signal(signal.SIGTERM)
    await first.until("exit")
    if first.dying:
        await stage.settled()
