"""A host in a process of its own, to be killed: reads turns from standard input, says each step on standard output.

A line in is JSON: text, session, key. Out: `ready`, `running TEXT` from inside the target, `done TEXT` or `error CODE`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from agent_framework import Agent, Message, tool

from hosting import AgentFrameworkHost, ChannelContribution, ChannelRequest, ChannelSession, HostingError
from hosting_testkit.targets import ScriptedChatClient, steps


class Quiet:
    """A channel without a wire."""

    name, path = "say", "/say"

    def contribute(self, context: Any) -> ChannelContribution:
        return ChannelContribution()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def build() -> tuple[Agent, list[Any]]:
    async def transfer() -> str:
        """Moves money."""
        say("running transfer")
        if stuck:
            await asyncio.Event().wait()
        return "moved"

    def script(messages: Any, options: Any) -> Any:
        last = messages[-1]
        if last.text == "hang":
            say("running hang")
            return ["half", steps.Stop("for ever")]
        if last.text == "ask":
            return [steps.ToolCall("transfer")]
        return f"heard {sum(message.role == 'user' for message in messages)}"

    stuck: list[Any] = []
    guarded = tool(transfer, approval_mode="always_require")
    return Agent(client=ScriptedChatClient(script=script), tools=[guarded]), stuck


async def main(state_dir: str) -> None:
    agent, stuck = build()
    asked: Any = None
    host = AgentFrameworkHost(agent, channels=[Quiet()], state_dir=state_dir)
    async with host:
        say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            value: Any = order["text"]
            if value in ("approve", "approve and hang"):
                stuck[:] = [1] if value.endswith("hang") else []
                requests = [asked] if asked else await open_requests(host, order)
                value = [
                    Message("user", [request.to_function_approval_response(True) for request in requests])
                ]
            request = ChannelRequest(
                channel="say",
                input=value,
                session=ChannelSession("me", key=order["session"]),
                delivery_id=order.get("key"),
            )
            try:
                result = await host.run(request)
                asked = result.requests[0] if result.requests else asked
                say(f"done {result.status} {result.text}")
            except HostingError as error:
                say(f"error {error.code}")


async def open_requests(host: AgentFrameworkHost, order: Any) -> list[Any]:
    """The request that an earlier process was told of: its client would have kept it."""
    live = await host._parts.services.sessions.open(_name(order["session"]))
    return [
        content
        for node in (live.head.path() if live.head else ())
        for content in node.message.contents
        if content.type == "function_approval_request"
    ][:1]


def _name(key: str) -> Any:
    from hosting.sessions.names import SessionName

    return SessionName("me", key)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
