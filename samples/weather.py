"""A real agent with tools, served through Responses and Invocations: `hosting serve samples.weather:host`.

With OPENAI_API_KEY set it asks a real model (`pip install agent-framework-openai`); without, a scripted one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Agent, Message

from hosting import AgentFrameworkHost
from hosting_invocations import InvocationsChannel
from hosting_responses import ResponsesChannel
from hosting_testkit.targets import ScriptedChatClient, steps

INSTRUCTIONS = "You answer questions about the weather. Use get_weather; remember what was asked before."


CITIES = ("Amsterdam", "Lisbon", "Nairobi", "Osaka")


def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return f"{city}: 18 °C, light rain, wind from the west"


def build_agent() -> Agent[Any]:
    """The agent, on a real model where there is a key."""
    return Agent(client=_client(), name="weather", instructions=INSTRUCTIONS, tools=[get_weather])


def build_host(**options: Any) -> AgentFrameworkHost:
    """The host; options go to `AgentFrameworkHost`."""
    return AgentFrameworkHost(build_agent(), channels=[ResponsesChannel(), InvocationsChannel()], **options)


def __getattr__(name: str) -> AgentFrameworkHost:
    """`samples.weather:host`, built when it is asked for, so that importing this module starts nothing."""
    if name == "host":
        return build_host(state_dir=os.environ.get("HOSTING_STATE_DIR"))
    raise AttributeError(name)


def _client() -> Any:
    if os.environ.get("OPENAI_API_KEY"):
        from agent_framework.openai import OpenAIChatClient

        return OpenAIChatClient(model=os.environ.get("OPENAI_MODEL", "gpt-5-mini"))
    return ScriptedChatClient(script=_script)


def _script(messages: Sequence[Message], options: Mapping[str, Any]) -> steps.Turn:
    """What the scripted model says: it calls the tool once, then answers, and knows what was asked before."""
    said = [message.text for message in messages if message.role == "user"]
    if messages[-1].role == "tool":
        report = str(messages[-1].contents[0].result)
        return _words(f"Here is what I found. {report}.")
    city = next((city for text in reversed(said) for city in CITIES if city.lower() in text.lower()), None)
    if city is None:
        return _words(f"Tell me a city: {', '.join(CITIES)}.")
    if "umbrella" in said[-1].lower():
        return _words(f"Yes, take an umbrella: it is raining in {city}.")
    return [steps.ToolCall("get_weather", {"city": city}, call_id=f"call_{len(messages)}")]


def _words(text: str) -> list[steps.Step]:
    """The text word by word, as a model streams it."""
    *most, last = text.split(" ")
    pieces: list[steps.Step] = []
    for word in most:
        pieces += [steps.Delta(f"{word} "), steps.Sleep(0.03)]
    return [*pieces, steps.Delta(last)]
