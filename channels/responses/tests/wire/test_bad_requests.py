"""What is refused, and how: OpenAI's error shape everywhere, 404 and 405 included (channels 1.5, contract 14)."""

from __future__ import annotations

from typing import Any

import pytest

from channels.responses.tests.wire.conftest import Serve
from hosting import HookRejected, HostLimits
from hosting_testkit.targets import Echo, Recorder

_USER = {"role": "user", "content": "x"}

BAD_BODIES: list[tuple[Any, str | None]] = [
    ({}, "input"),
    ({"input": None}, "input"),
    ({"input": ""}, "input"),
    ({"input": " \n"}, "input"),
    ({"input": []}, "input"),
    ({"input": [{"role": "user", "content": ""}]}, "input"),
    ({"input": 5}, "input"),
    ({"input": {"role": "user"}}, "input"),
    ({"input": ["text"]}, "input[0]"),
    ({"input": [{"type": "message", "content": "x"}]}, "input[0].role"),
    ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
    ({"input": [{"role": "user"}]}, "input[0].content"),
    ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
    ({"input": [{"role": "user", "content": [{"type": "hologram"}]}]}, "input[0].content[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
    ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0]"),
    (
        {
            "input": [
                {"role": "user", "content": [{"type": "input_image", "image_url": "file:///etc/passwd"}]}
            ]
        },
        "input[0].content[0].image_url",
    ),
    (
        {
            "input": [
                {
                    "role": "user",
                    "content": [{"type": "input_image", "image_url": "data:image/png;base64,%%"}],
                }
            ]
        },
        "input[0].content[0].image_url",
    ),
    ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
    ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
    ({"input": [{"type": "function_call", "call_id": "c", "name": "f"}]}, "input[0].arguments"),
    ({"input": [{"type": "web_search_call", "id": "x"}]}, "input[0].type"),
    ({"input": [{"no": "type"}]}, "input[0].type"),
    (
        {"input": [{"type": "mcp_approval_response", "approval_request_id": "r", "approve": True}]},
        "input[0].approval_request_id",
    ),
    ({"input": [{"type": "mcp_approval_response", "approval_request_id": "r"}]}, "input[0].approve"),
    ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "input[0].encrypted_content"),
    ({"input": [{"type": "compaction", "encrypted_content": "hosting1.AAAA"}]}, "input[0].encrypted_content"),
    ({"input": "x", "temperature": "hot"}, "temperature"),
    ({"input": "x", "temperature": True}, "temperature"),
    ({"input": "x", "temperature": 3}, "temperature"),
    ({"input": "x", "top_p": -1}, "top_p"),
    ({"input": "x", "max_output_tokens": 0}, "max_output_tokens"),
    ({"input": "x", "max_output_tokens": 1.5}, "max_output_tokens"),
    ({"input": "x", "stream": "yes"}, "stream"),
    ({"input": "x", "store": 1}, "store"),
    ({"input": "x", "instructions": ["x"]}, "instructions"),
    ({"input": "x", "metadata": {"k": 1}}, "metadata.k"),
    ({"input": "x", "metadata": []}, "metadata"),
    ({"input": "x", "tools": {}}, "tools"),
    ({"input": "x", "tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
    ({"input": "x", "tools": [{"type": "function", "name": "f", "parameters": []}]}, "tools[0].parameters"),
    ({"input": "x", "tool_choice": "perhaps"}, "tool_choice"),
    ({"input": "x", "tool_choice": {"type": "web_search"}}, "tool_choice"),
    ({"input": "x", "text": {"format": {"type": "xml"}}}, "text.format.type"),
    ({"input": "x", "text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
    ({"input": "x", "truncation": "some"}, "truncation"),
    ({"input": "x", "include": ["everything"]}, "include"),
    ({"input": "x", "conversation": 5}, "conversation"),
    ({"input": "x", "conversation": {}}, "conversation.id"),
    ({"input": "x", "conversation": "k" * 1025}, "session"),
    ({"input": "x", "previous_response_id": 5}, "previous_response_id"),
    ({"input": "x", "model": 5}, "model"),
    ({"input": "x", "reasoning": "hard"}, "reasoning"),
]


@pytest.mark.parametrize(("body", "param"), BAD_BODIES, ids=lambda value: str(value)[:70])
async def test_a_wrong_body_is_400_and_names_the_parameter(serve: Serve, body: Any, param: str | None):
    recorder = Recorder(Echo())
    served = await serve(recorder)

    answer = await served.post(json=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert error["message"]
    assert error["code"]
    assert recorder.runs == []


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"input": "\\ud800"}', "application/json", 400),
        (b'{"input": "\\u0000"}', "application/json", 400),
        (b'{"input": "x"}', "text/plain", 415),
        (b"input=x", "application/x-www-form-urlencoded", 415),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_in_openais_shape(
    serve: Serve, content: bytes, content_type: str, status: int
):
    served = await serve(Echo())

    answer = await served.post(content=content, headers={"content-type": content_type})

    assert answer.status_code == status
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}


async def test_a_body_above_32_mib_is_413_and_one_of_30_is_read(serve: Serve):
    served = await serve(Echo())
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * (30 << 20)}
    body = {
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "see"}, image]}],
        "store": False,
    }

    taken = await served.post(json=body)
    refused = await served.post(json={"input": "A" * (33 << 20)})

    assert taken.status_code == 200
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "body_too_large")


async def test_the_host_may_set_another_body_limit(serve: Serve):
    served = await serve(Echo(), host={"limits": HostLimits(max_body_bytes=100)})

    assert (await served.post(json={"input": "x" * 100})).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/responses", 405),
        ("GET", "/responses", 405),
        ("POST", "/responses/resp_1", 405),
        ("GET", "/responses/", 404),
        ("GET", "/responses/resp_1", 404),
        ("DELETE", "/responses/resp_1", 404),
        ("POST", "/responses/resp_1/cancel", 404),
        ("GET", "/responses/resp_1/input_items", 404),
        ("GET", "/responses/resp_1/nothing", 404),
        ("GET", "/conversations/conv_1", 404),
        ("GET", "/conversations/conv_1/items", 404),
        ("GET", "/v1/models/none", 404),
    ],
)
async def test_unknown_addresses_and_methods_answer_in_openais_shape(
    serve: Serve, method: str, path: str, status: int
):
    served = await serve(Echo())

    answer = await served.host.client.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}


async def test_a_refusal_by_a_hook_reaches_the_client_as_it_is(serve: Serve):
    def refuse(request: Any) -> Any:
        raise HookRejected("Not on Sundays.", status=409, code="closed")

    served = await serve(Echo(), run_hook=refuse)

    for stream in (False, True):
        answer = await served.post(json={"input": "x", "stream": stream})
        error = answer.json()["error"]
        assert (answer.status_code, error["message"], error["code"]) == (409, "Not on Sundays.", "closed")


async def test_a_caller_from_elsewhere_is_401(serve: Serve):
    served = await serve(Echo())

    answer = await served.post(json={"input": "x"}, headers={"x-forwarded-for": "1.2.3.4"})

    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
