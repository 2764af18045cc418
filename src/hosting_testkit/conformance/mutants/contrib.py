"""Channels that act while they are built, or notice too late what is wrong."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx

from hosting import ChannelConfigurationError, ChannelContext, ChannelContribution

from ..reference import BotChannel
from ..reference.bot import PLATFORM_URL
from .model import mutant


@mutant("io-in-contribute", kills={"HC-CONTRIB-001": "input and output while building"})
class IoInContribute(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        with suppress(httpx.HTTPError, OSError):
            httpx.get(f"{PLATFORM_URL}/me", trust_env=False)
        return super().contribute(context)


@mutant("task-in-contribute", kills={"HC-CONTRIB-001": "no running event loop"})
class TaskInContribute(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.poller = asyncio.get_running_loop().create_task(self.poll())
        self.poller.cancel()
        return super().contribute(context)

    async def poll(self) -> None:
        await asyncio.sleep(1)


@mutant("late-config-error", kills={"HC-CONTRIB-004": "accepted"})
class LateConfigError(BotChannel):
    def check_options(self) -> None:
        return


@mutant("secret-in-error", kills={"HC-CONTRIB-004": "secrets printed in the error"})
class SecretInError(BotChannel):
    def check_options(self) -> None:
        if len(self.secret) < 16:
            error = f"found {self.secret!r}, expected at least 16 characters"
            raise ChannelConfigurationError(error, channel=self.name, field="secret")


@mutant(
    "vague-config-error",
    defect="does not say which option is wrong",
    kills={"HC-CONTRIB-004": "the error names channel and field: FAILED"},
)
class VagueConfigError(BotChannel):
    def check_options(self) -> None:
        if len(self.secret) < 16:
            raise ChannelConfigurationError("the configuration is wrong")
