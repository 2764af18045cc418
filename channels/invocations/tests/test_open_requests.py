"""Approvals and information requests, answered in the next turn (contract 6.6, 6.8, 8.3; channels 0.5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from agent_framework import Agent, tool

from channels.invocations.tests.serving import (
    ANN,
    BOB,
    PATH,
    events_of,
    invoke,
    serve,
    serve_ann_and_bob,
)
from hosting import register_type
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Question, ScriptedChatClient, steps, workflow_pending

register_type(Question)


def cleaner(deleted: list[str]) -> Agent:
    """Asks before it deletes `x`."""

    @tool(approval_mode="always_require")
    def delete(path: str) -> str:
        deleted.append(path)
        return f"deleted {path}"

    client = ScriptedChatClient([steps.ToolCall("delete", {"path": "x"})], "done", "done")
    return Agent(client=client, name="cleaner", tools=[delete])


def approval(request: dict[str, Any], approved: bool = True) -> dict[str, Any]:
    part = {"type": "approval_response", "id": request["id"], "approved": approved}
    return {"messages": [{"role": "user", "content": [part]}], "session_id": "s"}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_approval_is_asked_and_its_answer_runs_the_tool_once(stream: bool) -> None:
    deleted: list[str] = []
    async with serve(cleaner(deleted)) as host:
        asked = await invoke(host, session_id="s", stream=stream)
        answer = events_of(asked.content)[-1][1] if stream else asked.json()
        assert (answer["status"], deleted) == ("input_required", [])
        [request] = answer["requests"]
        assert (request["type"], request["call"]["name"]) == ("approval_request", "delete")
        assert json.loads(request["call"]["arguments"]) == {"path": "x"}
        await host.restart()
        done = await host.post(PATH, json=approval(request))
        assert (done.json()["status"], done.json()["output"], deleted) == ("completed", "done", ["x"])
        again = await host.post(PATH, json=approval(request))
    assert (again.status_code, again.json()["error"]["code"], deleted) == (409, "already_answered", ["x"])


async def test_a_refused_approval_does_not_run_the_tool() -> None:
    deleted: list[str] = []
    async with serve(cleaner(deleted)) as host:
        [request] = (await invoke(host, session_id="s")).json()["requests"]
        assert (await host.post(PATH, json=approval(request, approved=False))).json()["status"] == "completed"
    assert deleted == []


async def test_only_the_session_that_was_asked_can_answer() -> None:
    deleted: list[str] = []
    async with serve_ann_and_bob(cleaner(deleted)) as host:
        [request] = (await invoke(host, session_id="s", headers=ANN)).json()["requests"]
        foreign = await host.post(PATH, json=approval(request), headers=BOB)
        elsewhere = await host.post(PATH, json=approval(request) | {"session_id": "t"}, headers=ANN)
    assert {foreign.status_code, elsewhere.status_code} == {404}
    assert foreign.json() == elsewhere.json()
    assert deleted == []


async def answer_question(host: InMemoryHost, call_id: str, result: Any) -> Any:
    part = {"type": "tool_result", "call_id": call_id, "result": result}
    return await host.post(PATH, json={"messages": [{"role": "tool", "content": [part]}], "session_id": "s"})


@pytest.mark.parametrize("stream", [False, True])
async def test_a_workflows_question_is_answered_by_the_next_invocation(stream: bool) -> None:
    target: Callable[[], Any] = workflow_pending
    async with serve(target) as host:
        asked = await invoke(host, "colour", session_id="s", stream=stream)
        answer = events_of(asked.content)[-1][1] if stream else asked.json()
        assert answer["status"] == "input_required"
        [request] = answer["requests"]
        assert (request["type"], request["name"]) == ("tool_call", "request_info")
        assert "colour" in request["arguments"]
        await host.restart()
        done = await answer_question(host, request["call_id"], "red")
        assert (done.json()["status"], done.json()["output"]) == ("completed", "colour: red")
        assert (await answer_question(host, request["call_id"], "blue")).status_code == 409
