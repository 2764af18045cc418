"""The driver of the polling reference bot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from hosting import Channel

from ...drivers import IMPOSSIBLE, SUPPORTED, Env, Inbound, PlatformAnswer
from ...transports.asgi import ASGIApp
from .bot import PLATFORM_URL, BotChannel
from .bot_driver import BotDriver
from .bot_wire import refusal
from .polling_bot import PollingBotChannel
from .polling_platform import FetchedUpdates

_FETCHES = IMPOSSIBLE("it fetches its updates, and answers no requests")


class PollingBotDriver(BotDriver):
    """Hands updates to the platform, from which `PollingBotChannel` fetches them."""

    name = "poller"
    profile = "poll-bot"
    capabilities = BotDriver.capabilities.but(
        transports={"polling": SUPPORTED},
        http=_FETCHES,
        webhook=_FETCHES,
        polling=SUPPORTED,
        middleware=_FETCHES,
        root_routes=_FETCHES,
        auth=_FETCHES,
        signature=_FETCHES,
    )
    bad_credentials = ()
    fetches = ("/bot/getUpdates",)
    channel_class: ClassVar[type[BotChannel]] = PollingBotChannel
    updates: FetchedUpdates

    def make(self, env: Env) -> Channel:
        env.secrets["token"] = self.sim.token
        env.clients.append(self.sim.http)
        options: dict[str, Any] = {"token": self.sim.token, **env.options}
        return self.channel_class(http=env.outbound(PLATFORM_URL), **options)

    def platform(self) -> ASGIApp:
        self.updates = FetchedUpdates(super().platform())
        return self.updates.app

    def post(self, body: bytes, *, credential: str = "valid", user: str = "ann") -> Inbound:
        return Inbound(
            path="/deliver", headers={"content-type": "application/json"}, body=body, to="platform"
        )

    def fetched_elsewhere(self) -> PlatformAnswer:
        return refusal(409, "poll_superseded")

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        options: dict[str, Any] = {"token": env.secret("short", length=8), **env.options}
        return [("token", lambda: self.channel_class(**options))]
