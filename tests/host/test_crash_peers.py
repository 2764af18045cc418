"""What is special about `kill -9`: who takes over and when, hosts that were asleep, a clock set back (contract 4.3, 6.7)."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.crashes.job import HANG, Place
from benchmarks.crashes.later_time import LaterTime
from benchmarks.crashes.processes import processes
from benchmarks.crashes.stage import LEASE_OVER, Stage, platforms, stage
from benchmarks.crashes.verdict import chat_defects
from hosting.instance import LEASE


@asynccontextmanager
async def on_stage(place: Place, clock: LaterTime | None = None) -> AsyncGenerator[Stage]:
    async with (
        processes() as makes,
        platforms() as served,
        stage(makes, served, place, clock=clock) as found,
    ):
        yield found


async def test_a_restart_on_the_same_folder_takes_over_at_once(tmp_path: Path) -> None:
    async with on_stage(Place("folder", str(tmp_path / "state"))) as on:
        first = await on.start(hangs=True)
        on.says(HANG)
        await on.until(lambda: HANG in first.ran)
        await first.kill()
        killed = time.monotonic()
        await on.settled()
        assert time.monotonic() - killed < LEASE * 0.9
        assert chat_defects(on, [HANG]) == []


async def test_of_two_hosts_on_one_file_the_survivor_takes_over_after_the_lease(tmp_path: Path) -> None:
    async with on_stage(Place("sqlite", str(tmp_path / "state.db"))) as on:
        first = await on.start(hangs=True)
        second = await on.start()
        on.says(HANG)
        await on.until(lambda: HANG in first.ran)
        await first.kill()
        killed = time.monotonic()
        await on.settled()
        assert time.monotonic() - killed > LEASE / 2
        assert second.ran == [HANG]
        assert chat_defects(on, [HANG]) == []


async def test_a_host_that_slept_past_its_lease_sends_and_saves_nothing_of_what_another_took(
    tmp_path: Path,
) -> None:
    async with on_stage(Place("sqlite", str(tmp_path / "state.db"))) as on:
        sleeper = await on.start(pause=1.0)
        on.says("one")
        await on.until(lambda: "one" in sleeper.ran and not on.sim.pending)
        sleeper.signal(signal.SIGSTOP)
        other = await on.start(later=LEASE_OVER)
        await on.settled()
        assert other.ran == ["one"] and on.sim.chat("ann").bot_texts == ["one: heard 1"]
        sleeper.signal(signal.SIGCONT)
        sleeper.signal(signal.SIGTERM)
        await sleeper.until("exit")
        assert sleeper.ran == ["one"]
        on.says("two")
        await on.settled()
        assert on.sim.chat("ann").bot_texts == ["one: heard 1", "two: heard 2"]
        assert chat_defects(on, ["one", "two"]) == []


async def test_a_clock_set_back_an_hour_between_two_starts_delays_nothing(tmp_path: Path) -> None:
    clock = LaterTime(3600.0)
    async with on_stage(Place("folder", str(tmp_path / "state")), clock) as on:
        first = await on.start(later=3600.0, kill=("after", "outbox.add"))
        on.says("one")
        await first.until("exit")
        assert first.dying and on.sim.chat("ann").bot_texts == []
        clock.later = 0.0
        await on.settled()
        second = on.victims[-1]
        assert on.sim.chat("ann").bot_texts == ["one: heard 1"]
        on.says("two")
        await on.settled()
        assert second.ran == ["two"] and chat_defects(on, ["one", "two"]) == []
