"""The README's table of parameters is what the channel does with each that the official client can send."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from hosting import RequestError
from hosting_responses.codec import PARAMETERS, new_response, parse_create

README = Path(__file__).parents[1] / "README.md"

SAMPLES: dict[str, Any] = {
    "access_programs": {"cyber": "standard"},
    "background": True,
    "background_options": {"completion_window": "soonest"},
    "context_management": [{"type": "compaction"}],
    "conversation": "conversation_1",
    "frequency_penalty": 0.5,
    "image": {"context_compression": "enabled"},
    "include": ["reasoning.encrypted_content"],
    "input": "other text",
    "instructions": "Be brief.",
    "max_output_tokens": 50,
    "max_tool_calls": 3,
    "metadata": {"k": "v"},
    "model": "a-model",
    "moderation": {"model": "m"},
    "parallel_tool_calls": False,
    "presence_penalty": 0.5,
    "previous_response_id": "resp_1",
    "prompt": {"id": "p"},
    "prompt_cache_key": "key",
    "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h",
    "reasoning": {"effort": "low"},
    "safety_identifier": "person",
    "seed": 7,
    "service_tier": "flex",
    "store": False,
    "stream": True,
    "stream_options": {"include_obfuscation": True},
    "temperature": 0.5,
    "text": {"format": {"type": "json_object"}},
    "tool_choice": "none",
    "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}],
    "top_logprobs": 0,
    "top_p": 0.5,
    "truncation": "auto",
    "user": "person",
}


def parsed(name: str | None = None) -> Any:
    body = {"input": "text"} | ({} if name is None else {name: SAMPLES[name]})
    return parse_create(body, id_base="resp_9")


def observable(request: Any) -> dict[str, Any]:
    """All of a parsed request that a target, a store or a run hook can tell apart, echoes aside."""
    return {
        "messages": [message.to_dict() for message in request.messages],
        "options": dict(request.options),
        "tools": [tool.name for tool in request.client_tools],
        "rest": (
            request.background,
            request.instructions,
            request.previous_response_id,
            request.conversation_id,
            request.store,
            request.stream,
            request.include,
            dict(request.metadata),
        ),
    }


def test_every_parameter_of_the_official_client_has_its_place_in_the_table():
    official = set(ResponseCreateParamsBase.__annotations__) | {"stream"}

    assert set(PARAMETERS) == official | {"frequency_penalty", "presence_penalty", "seed"}
    assert set(SAMPLES) == set(PARAMETERS)


def test_the_readme_has_the_same_table():
    rows = re.findall(r"^\| `([a-z_]+)` \| (used|echoed|refused)\b", README.read_text(), re.MULTILINE)

    assert dict(rows) == dict(PARAMETERS)


@pytest.mark.parametrize("name", [name for name, treatment in PARAMETERS.items() if treatment == "used"])
def test_a_used_parameter_changes_what_happens(name: str):
    if name == "stream_options":
        with pytest.raises(RequestError) as caught:
            parsed(name)
        assert caught.value.code == "unsupported_parameter"
    else:
        assert observable(parsed(name)) != observable(parsed())


@pytest.mark.parametrize("name", [name for name, treatment in PARAMETERS.items() if treatment == "echoed"])
def test_an_echoed_parameter_stands_in_the_response_object_and_nowhere_else(name: str):
    request = parsed(name)

    assert observable(request) == observable(parsed())
    response = new_response(request, response_id="resp_9", created_at=0, model="target")
    assert response[name] == SAMPLES[name]


@pytest.mark.parametrize("name", [name for name, treatment in PARAMETERS.items() if treatment == "refused"])
def test_a_refused_parameter_is_a_clear_400_and_null_is_not(name: str):
    with pytest.raises(RequestError) as caught:
        parsed(name)

    assert (caught.value.status, caught.value.code, caught.value.param) == (
        400,
        "unsupported_parameter",
        name,
    )
    assert parse_create({"input": "text", name: None}, id_base="resp_9").unknown == {}
