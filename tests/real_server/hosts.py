"""Hosts that the servers of these tests serve: `hosting serve tests.real_server.hosts:agent`, uvicorn `…:agent_app`.

STATE_DIR says where the state is; without it, it is in memory. SCHEMA names one of the PostgreSQL server of the tests instead.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Agent, Message, tool

from hosting import AgentFrameworkHost, HostLimits
from hosting.state import PostgresHostStateStore
from hosting_invocations import InvocationsChannel
from hosting_responses import ResponsesChannel
from hosting_testkit.targets import ScriptedChatClient, steps
from tests.state import postgres_server

SECRET = "hunter2"


@tool(approval_mode="never_require")
def weather(city: str) -> str:
    """Tells the weather."""
    return f"Rain in {city}"


@tool(approval_mode="never_require")
def clock() -> str:
    """Tells the time."""
    return "It is noon."


def model(messages: Sequence[Message], options: Mapping[str, Any]) -> steps.Turn:
    """Does what the last user message says; otherwise gives back everything that users have said."""
    said = [message.text for message in messages if message.role == "user"]
    last = said[-1] if said else ""
    if messages[-1].role == "tool":
        return [steps.Delta("told: "), steps.Delta(str(messages[-1].contents[0].result)), steps.Usage(7, 3)]
    name, _, rest = last.partition(" ")
    scripts: dict[str, list[steps.Step]] = {
        "weather": [steps.ToolCall("weather", {"city": rest}, split=3)],
        "clock": [steps.ToolCall("clock")],
        "locate": [steps.ToolCall("locate", {"who": rest})],
        "hang": [steps.Delta("partial "), steps.Sleep(3600)],
        "fail": [steps.Fail(RuntimeError(f"the password is {SECRET}"))],
        "break": [steps.Delta("partial "), steps.Fail(RuntimeError(f"the password is {SECRET}"))],
        "flood": [steps.Delta("x" * 65_536)] * 2_000,
        "json": [steps.Delta('{"city": "Kyiv", '), steps.Delta('"degrees": 18}')],
        "reason": [steps.Reasoning("because"), steps.Delta("so")],
        "refuse": [steps.Refusal("No.")],
        "image": [steps.Media()],
        "slow": [step for word in range(20) for step in (steps.Delta(f"{word} "), steps.Sleep(0.05))],
    }
    return scripts.get(name) or [steps.Delta(text) for text in "|".join(said)] + [steps.Usage(2, 1)]


def state() -> dict[str, Any]:
    """The options of a host that say where its state is."""
    if schema := os.environ.get("SCHEMA"):
        return {"state": PostgresHostStateStore(postgres_server.URL, schema=schema)}
    return {"state_dir": os.environ.get("STATE_DIR") or None}


def agent() -> AgentFrameworkHost:
    return AgentFrameworkHost(
        Agent(client=ScriptedChatClient(script=model), name="agent", tools=[weather, clock]),
        channels=[ResponsesChannel(), InvocationsChannel()],
        **state(),
        limits=HostLimits(write_timeout=0.5, drain_timeout=float(os.environ.get("DRAIN") or 0.5)),
    )


def agent_app() -> Any:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    return agent().app
