"""One of the hosts on a store polls (channels 3.1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from hosting import ChannelContext, ChannelContribution, InMemoryHostStateStore
from hosting.instance import LEASE
from hosting.messaging import OnePoller
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Echo
from tests.host.shared_state import Line


class Quiet:
    """A channel without a wire."""

    name, path = "quiet", "/quiet"
    context: ChannelContext

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.context = context
        return ChannelContribution()


@asynccontextmanager
async def pollers() -> AsyncGenerator[tuple[Sequence[OnePoller], Sequence[InMemoryHost], Sequence[Line]]]:
    state = InMemoryHostStateStore()
    await state.open()
    channels, lines = (Quiet(), Quiet()), (Line(state), Line(state))
    async with AsyncExitStack() as stack:
        hosts = [
            await stack.enter_async_context(InMemoryHost(Echo(), [channel], state=line))
            for channel, line in zip(channels, lines, strict=True)
        ]
        yield [OnePoller(channel.context) for channel in channels], hosts, lines
        for line in lines:
            line.cut = False
    await state.close()


@virtual_time
async def test_the_first_one_polls_and_goes_on() -> None:
    async with pollers() as ((first, second), _, _):
        assert await first.is_ours()
        assert not await second.is_ours()
        assert await first.is_ours()


@virtual_time
async def test_another_one_polls_when_it_leaves_or_stops() -> None:
    async with pollers() as ((first, second), hosts, _):
        await first.is_ours()
        await second.leave()
        assert await first.is_ours(), "it was not the other one's to leave"
        await first.leave()
        assert await second.is_ours()
        await hosts[1].shutdown()
        assert await first.is_ours()


@virtual_time
async def test_another_one_polls_when_its_lease_is_over() -> None:
    async with pollers() as ((first, second), _, lines):
        await first.is_ours()
        lines[0].cut = True
        assert not await second.is_ours()
        await asyncio.sleep(LEASE + 1)
        assert await second.is_ours()
        lines[0].cut = False
        assert not await first.is_ours()
