"""Workflows of agents, built with core alone."""

from __future__ import annotations

from typing import Any, Never

from agent_framework import (
    AgentExecutorRequest,
    AgentExecutorResponse,
    Executor,
    Message,
    SupportsAgentRun,
    Workflow,
    WorkflowBuilder,
    WorkflowContext,
    handler,
)

from .echo import Echo


def workflow_sequential(*agents: SupportsAgentRun) -> Workflow:
    """Each agent goes on with the conversation that the one before it left; all of them give outputs.

    Args:
        agents: At least two, of different names; two echoes, `first: ...` and `second: ...`, if left out. Give fresh
            ones to every workflow where they keep state.
    """
    chain = agents or _two_echoes()
    builder = WorkflowBuilder(name="workflow-sequential", start_executor=chain[0])
    return builder.add_chain(list(chain)).build()


class _Dispatch(Executor):
    @handler
    async def dispatch(self, text: str, ctx: WorkflowContext[AgentExecutorRequest]) -> None:
        await ctx.send_message(AgentExecutorRequest([Message("user", [text])]))


class _Join(Executor):
    @handler
    async def join(self, answers: list[AgentExecutorResponse], ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(" | ".join(answer.agent_response.text for answer in answers))


def workflow_concurrent(*agents: SupportsAgentRun) -> Workflow:
    """All agents get the text at once; one output joins what they answered, in the order of `agents`.

    Args:
        agents: At least two, of different names; two echoes, `first: ...` and `second: ...`, if left out.
    """
    dispatch, join = _Dispatch(id="dispatch"), _Join(id="join")
    answering: list[Any] = list(agents or _two_echoes())
    builder = WorkflowBuilder(name="workflow-concurrent", start_executor=dispatch, output_from=[join])
    return builder.add_fan_out_edges(dispatch, answering).add_fan_in_edges(answering, join).build()


def _two_echoes() -> tuple[SupportsAgentRun, ...]:
    return Echo("first: ", name="first"), Echo("second: ", name="second")
