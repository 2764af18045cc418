"""What the body of a rule gets: a host on demand, checks, controls, nonces."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from hosting import Channel, ChannelConfigurationError, ChannelContribution

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


class Kit:
    """The tools of one rule in one item.

    Attributes:
        variant: The transport that the item runs on.
        checks: What was checked so far.
        log: What happened so far.
        logs: What host and channel wrote to the `hosting` logger, traces included.
        virtual_seconds: How long it took for the channel; set when the item ends.
    """

    def __init__(self, factory: DriverFactory, variant: str) -> None:
        self.variant = variant
        self.checks: list[Check] = []
        self.log = EventLog()
        self.logs: list[str] = []
        self.virtual_seconds = 0.0
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
        """A text that nobody can guess."""
        return f"n{secrets.token_hex(8)}"

    def claim(self, capability: str) -> Claim:
        """What the driver says of a capability."""
        return self.driver().capabilities[capability]

    def driver(self, *, path: str | None = None, **surroundings: Any) -> ChannelDriver:
        """A fresh driver, with fresh surroundings; see `Env`."""
        driver = ask_driver(self._factory, "factory")
        driver.variant = self.variant
        driver.env = Env(
            name=driver.name,
            path=f"/kit/{driver.name}" if path is None else path,
            platform=ask_driver(driver.platform, "platform()"),
            log=self.log.add,
            **surroundings,
        )
        return driver

    def build(self, driver: ChannelDriver) -> Channel:
        """The driver's channel."""
        return ask_driver(lambda: driver.make(driver.env), "make(env)")

    @asynccontextmanager
    async def host(
        self,
        target: Any,
        *,
        path: str | None = None,
        options: Mapping[str, Any] | None = None,
        gives_client: bool = True,
        latency: float = 0.0,
        **host_options: Any,
    ) -> AsyncGenerator[HostedChannel]:
        """A started host with one fresh channel; it is shut down when the block ends.

        Args:
            target: The agent; its runs are recorded.
            path: Where the channel is mounted.
            options: Common options for the channel, such as hooks.
            gives_client: False leaves the channel without a client for its platform.
            latency: Virtual seconds that the platform takes for each call.
            host_options: Further arguments of `AgentFrameworkHost`.

        Raises:
            Failed: The application does not start or does not stop.
            Unproven: The driver cannot make the channel.
        """
        driver = self.driver(path=path, options=options, gives_client=gives_client, latency=latency)
        recorder = observed_target(target, self.log)
        contributions: list[ChannelContribution] = []

        def channels() -> list[Channel]:
            channel = self.build(driver)
            observe_contributions(channel, self.log, contributions)
            return [channel]

        host = InMemoryHost(recorder, channels, bridge=BridgeOptions(raise_app_errors=False), **host_options)
        hosted = HostedChannel(driver, host, recorder, contributions, self.log)
        try:
            async with host:
                yield hosted
        except LifespanFailed as error:
            raise Failed(f"the application broke its life cycle: {error}") from error
        except ChannelConfigurationError as error:
            raise Unproven(f"the channel that the driver makes is refused: {error}") from error
        finally:
            self._clients += driver.env.clients
            self._kept.append(hosted)  # what a channel leaked must not be tidied up with it

    async def aclose(self) -> None:
        """Ends the item: closes what the kit itself opened."""
        self.virtual_seconds = asyncio.get_running_loop().time()
        for client in self._clients:
            await client.aclose()
