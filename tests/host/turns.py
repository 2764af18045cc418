"""Turns asked of a host without a wire, and what the model behind it was sent."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from agent_framework import Content, Message

from hosting import ChannelRequest, ChannelSession, HostedRunResult
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import ScriptedChatClient


def request(
    value: Any, key: str | None = None, *, parent: str | None = None, **fields: Any
) -> ChannelRequest:
    """One turn of `me` on the channel `say`, in the session `key` if one is named."""
    session = ChannelSession("me", key=key, parent_key=parent) if key else None
    return ChannelRequest(channel="say", input=value, session=fields.pop("session", session), **fields)


async def run(
    host: InMemoryHost, value: Any, key: str | None = None, *, stream: bool = False, **fields: Any
) -> HostedRunResult[Any]:
    """The committed end of one turn, one-shot or streamed and read to its end."""
    turn = request(value, key, **fields)
    if not stream:
        return await host.host.run(turn)
    async with aclosing(await host.host.run_stream(turn)) as streamed:
        return await streamed.result()


def sent(client: ScriptedChatClient) -> list[list[tuple[str, str]]]:
    """The conversation of each model call: role and text of each message, calls and results by name."""
    return [[(message.role, shown(message)) for message in call.messages] for call in client.calls]


def shown(message: Message) -> str:
    return " ".join(_shown(content) for content in message.contents)


def _shown(content: Content) -> str:
    match content.type:
        case "function_call":
            return f"{content.name}({content.arguments})"
        case "function_result":
            return f"-> {content.result}"
        case "text":
            return content.text or ""
        case other:
            return f"[{other}]"
