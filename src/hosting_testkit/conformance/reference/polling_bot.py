"""The same chat bot where the platform cannot reach it: it fetches its updates (channels 3.1)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from hosting import ChannelContext, ChannelContribution, RequestError
from hosting.messaging import OnePoller

from .bot import BotChannel
from .bot_api import Refused

POLL_SECONDS = 30.0
_LONGEST_PAUSE = 60.0

_LOOK = 5.0
"""Seconds between two looks whether the host that polls is still there."""


class PollingBotChannel(BotChannel):
    """The reference for channels that fetch. Options as for `BotChannel`, without a secret.

    An update is confirmed by the next poll, and so never before it was claimed.
    """

    transport = "polling"
    polling: asyncio.Task[Any]
    poller: OnePoller

    def __init__(self, *, name: str = "poller", path: str = "/poller", **options: Any) -> None:
        super().__init__(secret=None, name=name, path=path, **options)

    def check_options(self) -> None:
        """The token authenticates both ways."""
        self.check_length("token", self.token)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """No route; the poller's life."""
        self.poller = OnePoller(context)
        return replace(super().contribute(context), routes=())

    async def start(self) -> None:
        """Begins to poll."""
        await super().start()
        self.polling = self.context.spawn(self.poll_on(), name="poll")
        self.context.spawn(self.stop_at_drain(), name="stop polling")

    async def stop(self) -> None:
        """Ends the poller before its client."""
        self.polling.cancel()
        await asyncio.wait([self.polling])
        await super().stop()

    async def stop_at_drain(self) -> None:
        """Takes no new update once the host begins to stop (contract 1.7)."""
        await self.context.draining.wait()
        self.polling.cancel()
        await self.poller.leave()

    async def poll_on(self) -> None:
        """Polls for ever while no other host does; what goes wrong is tried again, ever more slowly."""
        offset, failures = 0, 0
        while True:
            try:
                if await self.may_poll():
                    offset, failures = await self.poll(offset), 0
                else:
                    offset = 0
                    await asyncio.sleep(_LOOK)
            except Exception as error:  # whatever it is, a bot that polls no more is deaf
                if not failures:
                    self.context.logger.warning("channel %s cannot poll: %s", self.name, error)
                failures += 1
                asked = error.retry_after if isinstance(error, Refused) else None
                await asyncio.sleep(max(self.pause(failures), asked or 0.0))

    async def may_poll(self) -> bool:
        """Whether no other host polls for the bot (channels 3.1)."""
        return await self.poller.is_ours()

    async def poll(self, offset: int) -> int:
        """One poll, each update claimed in its turn; the offset that confirms them."""
        params = {"offset": offset, "timeout": POLL_SECONDS}
        for entry in await self.api.call("getUpdates", params, timeout=POLL_SECONDS + 10):
            try:
                await self.take(entry["update"])
            except RequestError as error:
                self.context.logger.warning("channel %s passes over an update: %s", self.name, error)
            offset = entry["offset"] + 1
        return offset

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return min(2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)
