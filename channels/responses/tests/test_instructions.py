"""`instructions` count for the request that gives them and for no later one (OpenAI's Responses API)."""

from __future__ import annotations

from agent_framework import Agent

from hosting_responses import ResponsesChannel
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import ScriptedChatClient


async def test_instructions_reach_the_model_once_and_are_not_remembered() -> None:
    client = ScriptedChatClient("Yes.")
    async with InMemoryHost(Agent(client=client, name="a"), [ResponsesChannel()]) as host:
        first = await host.post("/responses", json={"input": "one", "instructions": "Be brief."})
        body = {"input": "two", "previous_response_id": first.json()["id"]}
        await host.post("/responses", json=body)
    asked = [[(message.role, message.text) for message in call.messages] for call in client.calls]
    assert asked[0] == [("system", "Be brief."), ("user", "one")]
    assert asked[1] == [("user", "one"), ("assistant", "Yes."), ("user", "two")]
