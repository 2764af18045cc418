"""Clients that this project did not write, against a real server (channels 1.6)."""

from __future__ import annotations

import asyncio

from agent_framework import Agent, tool
from agent_framework_openai import OpenAIChatClient
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI
from pydantic import SecretStr

from channels.responses.tests.wire.server import listening
from channels.responses.tests.wire.test_create import weather_agent
from channels.responses.tests.wire.test_sessions import memory_agent
from hosting_testkit.targets import ScriptedChatClient, steps


async def test_the_synchronous_official_client_works_in_a_thread():
    def talk(url: str) -> tuple[str, str]:
        with OpenAI(base_url=url, api_key="k") as client:
            answer = client.responses.create(model="m", input="hello")
            with client.responses.stream(model="m", input="again", previous_response_id=answer.id) as stream:
                return answer.output_text, stream.get_final_response().output_text

    async with listening(memory_agent()) as url:
        assert await asyncio.to_thread(talk, url) == ("hello", "hello|again")


async def test_agent_framework_as_client_runs_and_streams():
    async with listening(memory_agent()) as url, AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as openai:
        agent = Agent(client=OpenAIChatClient(async_client=openai, model="m"))
        session = agent.create_session()

        first = await agent.run("a", session=session)
        stream = agent.run("b", session=session, stream=True)
        texts = [update.text async for update in stream]
        final = await stream.get_final_response()

    assert (first.text, final.text) == ("a", "a|b")
    assert texts


async def test_agent_framework_as_client_runs_its_own_tools_for_the_target():
    @tool(approval_mode="never_require")
    def locate(who: str) -> str:
        """Finds somebody."""
        return "Kyiv"

    target = Agent(client=ScriptedChatClient([steps.ToolCall("locate", {"who": "me"})], "You are in Kyiv."))
    async with listening(target) as url, AsyncOpenAI(base_url=url, api_key="k") as openai:
        agent = Agent(client=OpenAIChatClient(async_client=openai, model="m"), tools=[locate])

        answer = await agent.run("where am I?", session=agent.create_session())

    assert answer.text == "You are in Kyiv."


async def test_langchain_invokes_and_streams():
    async with listening(weather_agent()) as url:
        model = ChatOpenAI(base_url=url, api_key=SecretStr("k"), model="m", use_responses_api=True)

        answer = await model.ainvoke("weather?")
        pieces = [piece async for piece in model.astream("weather?")]
        await model.root_async_client.close()
        model.root_client.close()

    assert answer.text == "It rains."
    assert "".join(piece.text for piece in pieces) == "It rains."
