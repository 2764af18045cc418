"""A reply that waits for another try while the machine's clock is set back (contract 4.7, 15)."""

from __future__ import annotations

import asyncio

import pytest

from hosting import InMemoryHostStateStore
from hosting.state.base import HostStateStore
from hosting_testkit import VirtualClock, virtual_time
from hosting_testkit.conformance.kit import Kit
from hosting_testkit.conformance.reference import BotDriver
from hosting_testkit.drivers import Turn
from hosting_testkit.drivers.trouble import Unreachable
from hosting_testkit.targets import Echo
from tests.host.shared_state import Line


@pytest.mark.parametrize("shared", [False, True])
@virtual_time
async def test_a_reply_waits_no_longer_because_the_clock_was_set_back(shared: bool) -> None:
    clock, rows = VirtualClock().bind(), InMemoryHostStateStore()
    await rows.open()
    store: HostStateStore = Line(rows) if shared else rows
    async with Kit(BotDriver, "webhook").host(Echo(), time_source=clock, state=store) as h:
        h.env.troubles.plan("hello", [Unreachable()] * 2)
        async with h.open(h.inbound(Turn(text="hello"))) as opened:
            await opened.finished()
            await asyncio.sleep(0.5)
            assert (await opened.reply()).texts == []
            clock.skew(-3600)
            assert await opened.shows(lambda reply: reply.texts == ["hello"], within=20.0)
    await rows.close()
