"""Commands that a rule declares, as an app would, on whatever channel the driver makes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from hosting import Channel, ChannelCommand, ChannelCommandContext, ChannelContribution

from ..drivers.base import ChannelDriver
from .observe import change_contribution

Answer = Callable[[ChannelCommandContext], Awaitable[None]]


class Handler:
    """A declared command that notes how it was called.

    Args:
        name: The command's name.
        answer: What it does.

    Attributes:
        calls: The arguments of each call.
    """

    def __init__(self, name: str, answer: Answer) -> None:
        self.name = name
        self.calls: list[str] = []
        self._answer = answer

    @property
    def command(self) -> ChannelCommand:
        """As it is declared."""
        return ChannelCommand(name=self.name, description=f"What {self.name} does", handle=self._handle)

    async def _handle(self, context: ChannelCommandContext) -> None:
        self.calls.append(context.arguments)
        await self._answer(context)


def replying(*texts: str) -> Answer:
    """Replies with these texts, one after the other."""

    async def answer(context: ChannelCommandContext) -> None:
        for text in texts:
            await context.reply(text)

    return answer


def offering(*handlers: Handler) -> Callable[[ChannelDriver], Channel]:
    """Makes the driver's channel, with these commands among those that it contributes: for `Kit.host(make=...)`."""
    ours = [handler.command for handler in handlers]

    def with_ours(contribution: ChannelContribution) -> ChannelContribution:
        return replace(contribution, commands=[*contribution.commands, *ours])

    def make(driver: ChannelDriver) -> Channel:
        channel = driver.make(driver.env)
        change_contribution(channel, with_ours)
        return channel

    return make
