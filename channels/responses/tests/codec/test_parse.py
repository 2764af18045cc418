"""From a create body to messages of core (channels 1.2)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from agent_framework import Content, Message
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses.response_item import ResponseItem
from pydantic import TypeAdapter

from hosting import RequestError
from hosting_responses.codec import Referred, pack, parse_create, references

ITEM = TypeAdapter[Any](ResponseItem)


def parsed(items: Any, **body: Any) -> Any:
    return parse_create({"input": items, **body}, id_base="resp_9")


def shape(messages: list[Message]) -> list[tuple[str, list[str]]]:
    return [(message.role, [content.type for content in message.contents]) for message in messages]


def test_a_string_is_one_user_message():
    request = parsed("hi")

    assert [(message.role, message.text) for message in request.messages] == [("user", "hi")]
    assert request.input_items == [
        {
            "id": "msg_9_in0",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_text", "text": "hi"}],
            "type": "message",
        }
    ]


def test_a_developer_speaks_as_the_system():
    messages = parsed([{"role": "developer", "content": "a"}, {"role": "system", "content": "b"}]).messages

    assert [message.role for message in messages] == ["system", "system"]


def test_what_an_assistant_gave_in_one_turn_is_one_message_and_the_outputs_are_one_more():
    messages = parsed(
        [
            {"role": "user", "content": "q"},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "let me look"}]},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "b#2", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "1"},
            {
                "type": "function_call_output",
                "call_id": "b#2",
                "output": [{"type": "input_text", "text": "2"}],
            },
            {"role": "assistant", "content": "both"},
            {"role": "assistant", "content": "and more"},
        ]
    ).messages

    assert shape(messages) == [
        ("user", ["text"]),
        ("assistant", ["text_reasoning", "text", "function_call", "function_call"]),
        ("tool", ["function_result", "function_result"]),
        ("assistant", ["text"]),
        ("assistant", ["text"]),
    ]
    assert [content.call_id for content in messages[2].contents] == ["a", "b"]


def test_history_of_other_software_needs_neither_ids_nor_statuses():
    request = parsed(
        [{"role": "assistant", "content": [{"type": "text", "text": "hi"}]}, {"role": "user", "content": "x"}]
    )

    assert request.messages[0].text == "hi"
    assert all(ITEM.validate_python(item) for item in request.input_items)


def test_reasoning_given_back_keeps_its_id_its_kind_and_its_secret():
    (message,) = parsed(
        [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "short"}],
                "content": [{"type": "reasoning_text", "text": "long"}],
                "encrypted_content": "secret",
            }
        ]
    ).messages

    assert [(content.id, content.text) for content in message.contents] == [
        ("rs_1", "short"),
        ("rs_1", "long"),
    ]
    assert message.contents[1].additional_properties["openai"] == {"reasoning_text": True}
    assert message.contents[1].protected_data == "secret"


def test_a_refusal_given_back_is_marked_as_one():
    (message,) = parsed([{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}]).messages

    assert message.contents[0].additional_properties["core"] == {"model_output_kind": "refusal"}


def test_the_answer_to_an_approval_carries_the_call_that_was_asked_for():
    call = Content.from_function_call("c", "wipe", arguments="{}")
    request = Content.from_function_approval_request("r", call)
    items = [{"type": "mcp_approval_response", "approval_request_id": "r", "approve": False}]

    answer = parse_create(
        {"input": items}, id_base="x", referred=Referred(approvals={"r": request})
    ).messages[0]

    assert (answer.role, answer.contents[0].approved, answer.contents[0].function_call) == (
        "user",
        False,
        call,
    )


def test_references_are_found_whatever_else_is_wrong():
    items = [
        {"type": "item_reference", "id": "a"},
        {"id": "b"},
        {"type": "mcp_approval_response", "approval_request_id": "c"},
        {"type": "message", "id": "d"},
        {"type": "item_reference", "id": 5},
        7,
    ]

    assert references(items) == (["a", "b"], ["c"])
    assert references("text") == references(None) == ([], [])


def test_a_compaction_unpacks_to_what_was_packed():
    packed = pack([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "old"}]}])
    request = parsed(
        [{"type": "compaction", "encrypted_content": packed}, {"role": "user", "content": "new"}]
    )

    assert [message.text for message in request.messages] == ["old", "new"]
    assert [item["type"] for item in request.input_items] == ["compaction", "message"]


def test_files_come_as_data_as_addresses_or_by_id():
    parts = [
        {"type": "input_image", "image_url": "https://example.com/a.jpg"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_file", "file_url": "https://example.com/b.csv"},
        {"type": "input_file", "file_id": "file_2", "filename": "c"},
        {"type": "input_file", "filename": "d.txt", "file_data": "data:text/plain;base64,eA=="},
        {"type": "input_audio", "input_audio": {"format": "mp3", "data": "eA=="}},
        {"type": "input_video", "video_url": "https://example.com/e"},
    ]
    contents = parsed([{"role": "user", "content": parts}]).messages[0].contents

    assert [(content.type, content.media_type, content.file_id) for content in contents] == [
        ("uri", "image/jpeg", None),
        ("hosted_file", "image/*", "file_1"),
        ("uri", "text/csv", None),
        ("hosted_file", None, "file_2"),
        ("data", "text/plain", None),
        ("data", "audio/mpeg", None),
        ("uri", "video/mp4", None),
    ]


@pytest.mark.parametrize(
    ("choice", "option"),
    [
        ("required", "required"),
        ({"type": "function", "name": "f"}, {"mode": "required", "required_function_name": "f"}),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
            {"mode": "auto", "allowed_tools": ["f"]},
        ),
    ],
)
def test_a_tool_choice_becomes_cores_own(choice: Any, option: Any):
    assert parsed("x", tool_choice=choice).options["tool_choice"] == option


def test_a_json_schema_is_asked_for_in_the_form_that_cores_clients_share():
    schema = {"type": "object", "properties": {}}
    request = parsed(
        "x", text={"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}}
    )

    assert request.options["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "n", "strict": True, "schema": schema},
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "id", "role", "content", "text", "output", "call_id", "summary", "name", "arguments"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "message",
        "function_call",
        "function_call_output",
        "reasoning",
        "item_reference",
        "mcp_call",
        "compaction",
        "image_generation_call",
        "mcp_approval_request",
        "mcp_approval_response",
    ]
)


@given(
    st.lists(
        st.tuples(
            KINDS,
            st.dictionaries(
                st.sampled_from(
                    [
                        "role",
                        "content",
                        "output",
                        "call_id",
                        "id",
                        "name",
                        "arguments",
                        "summary",
                        "result",
                        "encrypted_content",
                        "approve",
                        "approval_request_id",
                    ]
                ),
                JSON,
            ),
        ),
        max_size=3,
    ),
    JSON,
)
def test_any_json_is_parsed_or_refused_as_a_bad_request(items: list[tuple[str, dict[str, Any]]], other: Any):
    for value in ([{**fields, "type": kind} for kind, fields in items], other):
        try:
            request = parse_create({"input": value}, id_base="x")
        except RequestError as error:
            refused = error.status
        else:
            refused = None
            msgspec.json.encode(request.input_items)
        assert refused in (None, 400)
