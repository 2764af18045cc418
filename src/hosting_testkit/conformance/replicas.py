"""Several processes of one channel on one store and one platform, each of which can die (contract 4.3, 6.7)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from hosting import Channel, ChannelContribution

from ..clock import VirtualClock
from ..crashes.process import Process
from ..drivers.base import ChannelDriver
from ..drivers.wire import Out, Wire
from ..targets.recorder import RecordedRun
from .events import EventLog
from .hosted import HostedChannel
from .kit import Kit, Maker, made
from .mortal import DOWN, MortalHost
from .observe import observe_contributions, observed_target
from .shared_plan import SharedPlan, ToldTransport


class Replica(HostedChannel):
    """`HostedChannel` in a process of its own.

    Attributes:
        host: The process.
        kept: As `plan.kept`.
        plan: The rows, and what they say of events, turns and deliveries, of all replicas.
    """

    def __init__(
        self,
        driver: ChannelDriver,
        host: MortalHost,
        runs: Sequence[RecordedRun],
        contributions: Sequence[ChannelContribution],
        log: EventLog,
        plan: SharedPlan,
    ) -> None:
        super().__init__(driver, host, runs, contributions, log)
        self.host = host
        self.plan = plan
        self.kept = plan.kept

    def recorded(self, before: Sequence[str] = ()) -> Mapping[str, str | None]:
        """How each reply ended, by its id; None while it is open; those of `before` left out."""
        return {id: state for id, state in self.kept.deliveries.items() if id not in before}

    async def decode(self, wire: Wire) -> Sequence[Out]:
        """As `HostedChannel.decode`; an answer for a process that is not there holds nothing to decode."""
        empty = wire.status == DOWN and not wire.calls
        return () if empty else await super().decode(wire)

    async def fetches(self, seconds: float) -> bool:
        """Whether this process, and not another one, asks the platform for updates in so many seconds."""
        mark = len(self.plan.called)
        await self.rest(seconds)
        return any(
            process is self.host.process and path in self.env.fetches
            for process, path in self.plan.called[mark:]
        )


@asynccontextmanager
async def replicas(
    k: Kit,
    target: Any,
    count: int = 1,
    *,
    options: Mapping[str, Any] | None = None,
    make: Maker = made,
    **host_options: Any,
) -> AsyncGenerator[Sequence[Replica]]:
    """So many started processes with the driver's channel; they are shut down when the block ends.

    Args:
        k: The item's kit.
        target: The agent; the same object in every process.
        count: How many; one has its rows to itself, and takes over at once from its forerunner.
        options: Common options for the channel.
        make: Makes the channel in place of the driver's `make`.
        host_options: Further arguments of `AgentFrameworkHost`.

    Raises:
        Failed: A process does not start.
        Unproven: The driver cannot make the channel.
    """
    plan = SharedPlan("at once" if count == 1 else "after the lease")
    driver = k.driver(options=options)
    served, runs = observed_target(target, k.log)
    contributed: list[ChannelContribution] = []
    limits = {} if driver.limits is None else {"limits": driver.limits}
    options_of_all: dict[str, Any] = {"time_source": VirtualClock().bind(), **limits, **host_options}
    driver.env.time_source = options_of_all["time_source"]
    channels = _maker(k, driver, make, plan, contributed)
    hosts = [MortalHost(plan, served, channels, options_of_all) for _ in range(count)]
    try:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(plan.shared.discard)
            for host in hosts:
                await stack.enter_async_context(host)
            yield [Replica(driver, host, runs, contributed, k.log, plan) for host in hosts]
    finally:
        for client in driver.env.clients:
            await client.aclose()


def _maker(
    k: Kit, driver: ChannelDriver, make: Maker, plan: SharedPlan, contributed: list[ChannelContribution]
) -> Callable[[Process], Sequence[Channel]]:
    """Makes the channel of a process, whose calls end with it."""

    def channels(process: Process) -> Sequence[Channel]:
        driver.env.around = lambda way: ToldTransport(way, plan, process)
        channel = k.build(driver, make)
        observe_contributions(channel, k.log, contributed)
        return [channel]

    return channels
