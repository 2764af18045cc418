"""The commands that every chat channel has (contract 13.2)."""

from __future__ import annotations

from ..commands import ChannelCommand, ChannelCommandContext


async def _new(context: ChannelCommandContext) -> None:
    await context.reset()
    await context.reply("A new conversation begins.")


async def _stop(context: ChannelCommandContext) -> None:
    await context.reply("Stopped." if await context.stop() else "Nothing is running.")


async def _whoami(context: ChannelCommandContext) -> None:
    identity = context.request.identity
    await context.reply(
        f"{identity.channel}: {identity.native_id}" if identity else "You are not known here."
    )


async def _help(context: ChannelCommandContext) -> None:
    lines = [
        f"/{command.name} - {command.description}" for command in context.commands if command.expose_in_ui
    ]
    await context.reply("\n".join(lines))


BUILT_IN = (
    ChannelCommand(name="new", description="Begin a new conversation", handle=_new),
    ChannelCommand(name="stop", description="Stop the answer in progress", handle=_stop),
    ChannelCommand(name="whoami", description="Show who you are here", handle=_whoami),
    ChannelCommand(name="help", description="List the commands", handle=_help),
)
