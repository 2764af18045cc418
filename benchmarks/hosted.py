"""The same target behind the host, or core's own agent, which keeps a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent_framework import Agent, AgentSession, ContextProvider, Message, SessionContext, SupportsAgentRun
from starlette.applications import Starlette

from hosting import AgentFrameworkHost, PostgresHostStateStore
from hosting_responses import ResponsesChannel
from hosting_testkit.targets import Echo, ScriptedChatClient

from . import postgres

MODEL_SECONDS = 0.2
"""How long the model of a slow agent takes."""

ANSWER = "It is going to rain in the afternoon, so an umbrella will do no harm."


def build_app(app: str, where: str) -> Starlette:
    """The host's application as it comes, with every default.

    Args:
        app: `memory` or `sqlite`, or one of the agents; see `benchmarks.servers.App`.
        where: The file or the schema of its state; "" for memory.
    """
    return AgentFrameworkHost(
        _target(app),
        channels=[ResponsesChannel()],
        state=PostgresHostStateStore(postgres.named(where), schema=where)
        if app.endswith("postgres")
        else None,
        state_dir=Path(where).parent if app.endswith("sqlite") else None,
    ).app


def _target(app: str) -> Any:
    match app.partition("-")[0]:
        case "agent":
            return _agent()
        case "slow":
            return _agent(_Model())
        case _:
            return Echo()


def _agent(*providers: ContextProvider) -> Agent[Any]:
    return Agent(
        client=ScriptedChatClient(script=_answer, keep=1), name="helper", context_providers=[*providers]
    )


def _answer(messages: Sequence[Message], options: Mapping[str, Any]) -> str:
    return ANSWER


class _Model(ContextProvider):
    """Takes as long as a model would."""

    def __init__(self) -> None:
        super().__init__("model")

    async def before_run(
        self,
        *,
        agent: SupportsAgentRun,
        session: AgentSession,
        context: SessionContext,
        state: dict[str, Any],
    ) -> None:
        await asyncio.sleep(MODEL_SECONDS)
