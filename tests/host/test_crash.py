"""Killed without warning: what was answered is kept, nothing is half-kept, and it goes on (contract 4.4, 4.5)."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

HOST = Path(__file__).parent / "crash_host.py"
ROOT = HOST.parent.parent.parent


class Killable:
    """The process, and its end of the talk."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hears(self, text: str, session: str = "s", key: str | None = None) -> None:
        assert self._process.stdin
        line = json.dumps({"text": text, "session": session, "key": key}) + "\n"
        self._process.stdin.write(line.encode())
        await self._process.stdin.drain()

    async def says(self) -> str:
        assert self._process.stdout
        async with asyncio.timeout(30):
            return (await self._process.stdout.readline()).decode().rstrip("\n")

    async def turn(self, text: str, session: str = "s", key: str | None = None) -> str:
        await self.hears(text, session, key)
        return await self.says()

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def started(state_dir: Path) -> AsyncIterator[Killable]:
    """A host that has started; it is killed at the end of the block, if not before."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HOST),
        str(state_dir),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    host = Killable(process)
    try:
        assert await host.says() == "ready"
        yield host
    finally:
        await host.kill()


async def test_what_was_answered_before_the_kill_is_there_and_what_was_not_is_not(tmp_path: Path) -> None:
    async with started(tmp_path) as host:
        assert await host.turn("one") == "done completed heard 1"
        assert await host.turn("two") == "done completed heard 2"
        await host.kill()
    async with started(tmp_path) as host:
        assert await host.turn("three") == "done completed heard 3"
        assert await host.turn("hang") == "running hang"
        await host.kill()
    async with started(tmp_path) as host:
        assert await host.turn("four") == "done completed heard 4"
        assert await host.turn("hang", "other") == "running hang"
        await host.kill()
    async with started(tmp_path) as host:
        assert await host.turn("one", "other") == "done completed heard 1"
    with sqlite3.connect(tmp_path / "hosting.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM history").fetchall() == [(2 * 5,)]
    database.close()


async def test_a_key_whose_turn_was_killed_ends_interrupted_and_one_that_was_answered_keeps_its_answer(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as host:
        assert await host.turn("one", key="answered") == "done completed heard 1"
        assert await host.turn("hang", key="killed") == "running hang"
        await host.kill()
    async with started(tmp_path) as host:
        assert await host.turn("one", key="answered") == "done completed heard 1"
        assert await host.turn("hang", key="killed") == "error interrupted"
        assert await host.turn("two", key="new") == "done completed heard 2"


async def test_an_answer_whose_turn_was_killed_can_be_given_again(tmp_path: Path) -> None:
    async with started(tmp_path) as host:
        assert (await host.turn("ask")).startswith("done input_required")
        assert await host.turn("approve and hang") == "running transfer"
        await host.kill()
    async with started(tmp_path) as host:
        assert await host.turn("approve") == "running transfer"
        assert (await host.says()).startswith("done completed")
        assert await host.turn("approve") == "error already_answered"
