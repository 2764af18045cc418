"""What the body of a rule gets: a host on demand, checks, controls, nonces."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import httpx

from hosting import Channel, ChannelConfigurationError, ChannelContribution

from ..clock import VirtualClock
from ..drivers.base import ChannelDriver
from ..drivers.capabilities import Claim
from ..drivers.env import Env
from ..host import InMemoryHost
from ..transports.asgi import BridgeOptions
from ..transports.lifespan import LifespanFailed
from .events import EventLog
from .hosted import HostedChannel, ask_driver
from .model import Check, Failed, Unproven
from .observe import observe_contributions, observed_target

DriverFactory = Callable[[], ChannelDriver]
Peers = Callable[[Channel], Sequence[Channel]]


Maker = Callable[[ChannelDriver], Channel]


def alone(channel: Channel) -> Sequence[Channel]:
    """The channel and no other."""
    return [channel]


def made(driver: ChannelDriver) -> Channel:
    """The channel as the driver makes it."""
    return driver.make(driver.env)


def _limits_of(drivers: Sequence[ChannelDriver]) -> Mapping[str, Any]:
    """The limits that the channels are made for, as an option of the host."""
    found = [driver.limits for driver in drivers if driver.limits is not None]
    return {"limits": found[0]} if found else {}


class Kit:
    """The tools of one rule in one item.

    Attributes:
        variant: The transport that the item runs on.
        checks: What was checked so far.
        log: What happened so far.
        logs: What host and channel wrote to the `hosting` logger, traces included.
        virtual_seconds: How long it took for the channel; set when the item ends.
        envs: The surroundings of every driver that was made.
        nonces: Every text that nobody could guess.
        place: Where channels are mounted, unless a rule says otherwise; a name that nobody could guess.
        contributed: What the latest channel contributed.
    """

    def __init__(self, factory: DriverFactory, variant: str, *, seed: str = "") -> None:
        self.variant = variant
        self._seed = seed or secrets.token_hex(8)
        self.place = f"p{hashlib.sha256(f'{self._seed}/place'.encode()).hexdigest()[:12]}"
        self.checks: list[Check] = []
        self.log = EventLog()
        self.logs: list[str] = []
        self.virtual_seconds = 0.0
        self.envs: list[Env] = []
        self.nonces: list[str] = []
        self.contributed: list[ChannelContribution] = []
        self._factory = factory
        self._kept: list[object] = []
        self._clients: list[httpx.AsyncClient] = []

    def check(self, name: str, ok: bool, *, expected: Any = None, observed: Any = None) -> bool:
        """Records an observation; the rule goes on either way, so that a report shows all that is wrong."""
        self.checks.append(Check(name=name, ok=ok, expected=expected, observed=observed))
        return ok

    def equal(self, name: str, observed: Any, expected: Any) -> bool:
        """Checks that two values are equal."""
        return self.check(name, observed == expected, expected=expected, observed=observed)

    def control(self, ok: bool, what: str, *, observed: Any = None) -> None:
        """A positive control: the ordinary case works, so that a refusal afterwards means something.

        Raises:
            Unproven: It does not.
        """
        self.checks.append(Check(name=what, ok=ok, observed=observed, control=True))
        if not ok:
            raise Unproven(f"control failed: {what}; observed {observed!r}")

    def nonce(self) -> str:
        """A text that nobody can guess who does not know the run's seed."""
        mixed = hashlib.sha256(f"{self._seed}/{len(self.nonces)}".encode()).hexdigest()
        self.nonces.append(f"n{mixed[:16]}")
        return self.nonces[-1]

    def claim(self, capability: str) -> Claim:
        """What the driver says of a capability."""
        return ask_driver(self._factory, "factory").capabilities[capability]

    def driver(
        self, *, name: str | None = None, path: str | None = None, **surroundings: Any
    ) -> ChannelDriver:
        """A fresh driver, with fresh surroundings; see `Env`."""
        driver = ask_driver(self._factory, "factory")
        driver.variant = self.variant
        driver.env = Env(
            name=name or driver.name,
            path=next(
                place for place in (path, driver.mount, f"/{self.place}/{driver.name}") if place is not None
            ),
            platform=ask_driver(driver.platform, "platform()"),
            log=self.log.add,
            **surroundings,
        )
        driver.env.fetches = driver.fetches
        self.envs.append(driver.env)
        return driver

    def build(self, driver: ChannelDriver, make: Maker = made) -> Channel:
        """The driver's channel."""
        return ask_driver(lambda: make(driver), "make(env)")

    @asynccontextmanager
    async def host(
        self,
        target: Any,
        *,
        path: str | None = None,
        options: Mapping[str, Any] | None = None,
        gives_client: bool = True,
        latency: float = 0.0,
        reachable: bool = True,
        peers: Peers = alone,
        make: Maker = made,
        **host_options: Any,
    ) -> AsyncGenerator[HostedChannel]:
        """A started host with one fresh channel; it is shut down when the block ends.

        Args:
            target: The agent; its runs are recorded.
            path: Where the channel is mounted.
            options: Common options for the channel, such as hooks.
            gives_client: False leaves the channel without a client for its platform.
            latency: Virtual seconds that the platform takes for each call.
            reachable: False leaves the platform out of reach until `h.env.reachable` is set.
            peers: Gives all channels of the host, in order; the channel itself among them.
            make: Makes the channel in place of the driver's `make`.
            host_options: Further arguments of `AgentFrameworkHost`.

        Raises:
            Failed: The application does not start or does not stop.
            Unproven: The driver cannot make the channel.
        """
        driver = self.driver(
            path=path,
            options=options,
            gives_client=gives_client,
            latency=latency,
        )
        driver.env.reachable = reachable
        with nullcontext() if gives_client else driver.env.internet():
            async with self._started(target, [driver], peers, make, host_options) as (hosted,):
                yield hosted

    @asynccontextmanager
    async def side_by_side(
        self,
        target: Any,
        paths: Mapping[str, str],
        *,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        **host_options: Any,
    ) -> AsyncGenerator[Sequence[HostedChannel]]:
        """One started host with several fresh channels.

        Args:
            target: As for `host`.
            paths: The path of each channel, by its name.
            options: Common options of a channel, by its name.
            host_options: As for `host`.

        Raises:
            Failed: As for `host`.
            Unproven: As for `host`.
        """
        given = options or {}
        drivers = [self.driver(name=name, path=path, options=given.get(name)) for name, path in paths.items()]
        async with self._started(target, drivers, alone, made, host_options) as hosted:
            yield hosted

    @asynccontextmanager
    async def _started(
        self,
        target: Any,
        drivers: Sequence[ChannelDriver],
        peers: Peers,
        make: Maker,
        host_options: Mapping[str, Any],
    ) -> AsyncGenerator[Sequence[HostedChannel]]:
        served, runs = observed_target(target, self.log)
        contributed: list[list[ChannelContribution]] = [[] for _ in drivers]

        def channels() -> list[Channel]:
            built = [self.build(driver, make) for driver in drivers]
            self.contributed = contributed[-1]
            for channel, contributions in zip(built, contributed, strict=True):
                observe_contributions(channel, self.log, contributions)
            return [one for channel in built for one in peers(channel)]

        host_options = {"time_source": VirtualClock().bind(), **_limits_of(drivers), **host_options}
        for driver in drivers:
            driver.env.time_source = host_options["time_source"]
        host = InMemoryHost(served, channels, bridge=BridgeOptions(raise_app_errors=False), **host_options)
        hosted = [
            HostedChannel(driver, host, runs, contributions, self.log)
            for driver, contributions in zip(drivers, contributed, strict=True)
        ]
        try:
            async with host:
                yield hosted
        except LifespanFailed as error:
            raise Failed(f"the application broke its life cycle: {error}") from error
        except ChannelConfigurationError as error:
            raise Unproven(f"the channel that the driver makes is refused: {error}") from error
        finally:
            self._clients += [client for driver in drivers for client in driver.env.clients]
            self._kept.append(hosted)  # what a channel leaked must not be tidied up with it

    def another(self) -> Kit:
        """A kit for another rule on the same channel; close it in the end."""
        other = Kit(self._factory, self.variant, seed=f"{self._seed}/another")
        other.envs, other.nonces = self.envs, self.nonces  # reports hide what either of them hides
        return other

    async def aclose(self) -> None:
        """Ends the item: closes what the kit itself opened."""
        self.virtual_seconds = asyncio.get_running_loop().time()
        for client in self._clients:
            await client.aclose()
