"""The events of a stream, judged by OpenAI's own types and accumulator (channels 1.3, contract 7.2)."""

from __future__ import annotations

import pytest
from agent_framework import Annotation, Content, TextSpanRegion, UsageDetails

from channels.responses.tests.codec.scripts import call, folded, one_shot, output, streamed, text, update
from channels.responses.tests.oracles import accumulated, check_stream, said_in
from hosting_testkit.targets import NASTY_TEXTS


def kinds(events: list[dict]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_a_text_is_told_in_the_official_order():
    events = streamed([update(text("Hel")), update(text("lo"))])

    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert said_in(check_stream(events)["output"][0]) == "Hello"
    assert accumulated(events).output_text == "Hello"


def test_a_closing_replacement_of_the_whole_text_sends_nothing_twice():
    final = check_stream(
        streamed([update(text("Hello ")), update(text("there")), update(text("Hello there", replace=True))])
    )

    assert [said_in(item) for item in final["output"]] == ["Hello there"]


def test_a_longer_replacement_sends_the_rest():
    events = streamed([update(text("Hello")), update(text("Hello there", replace=True))])

    assert [event["delta"] for event in events if event["type"].endswith(".delta")] == ["Hello", " there"]
    check_stream(events)


def test_a_different_replacement_begins_a_new_item_and_the_last_item_is_what_core_folds():
    updates = [update(text("draft")), update(text("final", replace=True)), update(text(" text"))]
    final = check_stream(streamed(updates))

    assert [said_in(item) for item in final["output"]] == ["draft", "final text"]
    assert said_in(final["output"][-1]) == said_in(folded(updates)[-1])


def test_a_refusal_is_a_refusal_part_of_its_own():
    marked = {"core": {"model_output_kind": "refusal"}}
    final = check_stream(
        streamed([update(text("I can")), update(text("not.", additional_properties=marked))])
    )

    assert [item["content"][0]["type"] for item in final["output"]] == ["output_text", "refusal"]


def test_reasoning_is_a_summary_unless_it_is_marked_as_the_reasoning_itself():
    raw = {"openai": {"reasoning_text": True}}
    final = check_stream(
        streamed(
            [
                update(Content.from_text_reasoning(text="Let me ")),
                update(Content.from_text_reasoning(text="think.")),
                update(text("Yes.")),
                update(Content.from_text_reasoning(text="raw", additional_properties=raw)),
            ]
        )
    )

    assert final["output"][0]["summary"] == [{"type": "summary_text", "text": "Let me think."}]
    assert final["output"][2]["content"] == [{"type": "reasoning_text", "text": "raw"}]


def test_encrypted_reasoning_is_given_only_to_who_asked_for_it():
    updates = [update(Content.from_text_reasoning(text="hm", protected_data="secret"))]

    assert "encrypted_content" not in output(updates)[0]
    assert output(updates, encrypted_reasoning=True)[0]["encrypted_content"] == "secret"


def test_arguments_of_a_call_come_in_pieces_and_end_whole():
    events = streamed(
        [update(call('{"city":')), update(call('"Kyiv"}')), update(call('{"city":"Kyiv"}', replace=True))]
    )

    final = check_stream(events)
    assert final["output"][0] | {"id": ""} == {
        "type": "function_call",
        "id": "",
        "call_id": "call_1",
        "name": "lookup",
        "arguments": '{"city":"Kyiv"}',
        "status": "completed",
    }
    assert kinds(events)[2:-1] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert accumulated(events).output[0].arguments == '{"city":"Kyiv"}'


def test_arguments_given_as_a_mapping_become_json():
    assert said_in(output([update(call({"a": 1})), update(call({"b": 2}))])[0]) == '{"a":1,"b":2}'


def test_two_calls_in_parallel_grow_side_by_side():
    events = streamed(
        [
            update(call('{"a"', call_id="one")),
            update(call('{"b"', call_id="two")),
            update(call(":1}", call_id="one")),
            update(call(":2}", call_id="two")),
        ]
    )

    assert [said_in(item) for item in check_stream(events)["output"]] == ['{"a":1}', '{"b":2}']


def test_text_goes_on_in_its_item_when_only_a_piece_of_an_older_call_came_between():
    updates = [
        update(call("{", call_id="one")),
        update(text("a")),
        update(call("}", call_id="one")),
        update(text("b")),
    ]

    assert [said_in(item) for item in check_stream(streamed(updates))["output"]] == ["{}", "ab"]


def test_a_tool_turn_whose_model_calls_share_one_message_id_keeps_its_items_apart():
    """core-facts 3.8."""
    final = check_stream(
        streamed(
            [
                update(call("{}"), message_id="m", role="assistant"),
                update(Content.from_function_result("call_1", result="rain"), role="tool"),
                update(text("It rains."), message_id="m", role="assistant"),
            ]
        )
    )

    assert [item["type"] for item in final["output"]] == ["function_call", "function_call_output", "message"]
    assert final["output"][1]["output"] == "rain"


def test_the_same_call_id_in_a_later_message_is_another_call():
    final = check_stream(
        streamed(
            [
                update(call("{}"), role="assistant"),
                update(Content.from_function_result("call_1", result="1"), role="tool"),
                update(call('{"again":1}'), role="assistant"),
            ]
        )
    )

    calls = [item for item in final["output"] if item["type"] == "function_call"]
    assert [(item["call_id"], said_in(item)) for item in calls] == [
        ("call_1", "{}"),
        ("call_1#2", '{"again":1}'),
    ]


def test_the_official_accumulator_takes_a_repeated_call_id():
    """It knows calls by their id, so the wire makes ids unique; the input undoes it."""
    updates = [
        update(call("{}"), role="assistant"),
        update(Content.from_function_result("call_1", result="1"), role="tool"),
        update(call("{}"), role="assistant"),
        update(Content.from_function_result("call_1", result="2"), role="tool"),
    ]

    events = streamed(updates)
    check_stream(events)
    assert [item.call_id for item in accumulated(events).output] == [
        "call_1",
        "call_1",
        "call_1#2",
        "call_1#2",
    ]


def test_usage_is_added_up_and_a_replacement_replaces_it():
    def used(count: int) -> UsageDetails:
        return UsageDetails(input_token_count=count, output_token_count=count, total_token_count=2 * count)

    updates = [
        update(text("a"), Content.from_usage(used(7))),
        update(Content.from_usage(used(7))),
        update(Content.from_usage(used(20), merge_mode="replace")),
    ]

    assert check_stream(streamed(updates[:2]))["usage"]["total_tokens"] == 28
    assert check_stream(streamed(updates))["usage"]["total_tokens"] == 40


def test_usage_that_nobody_told_of_is_null():
    assert check_stream(streamed([update(text("a"))]))["usage"] is None


def test_a_citation_becomes_an_annotation_once():
    cited = Annotation(
        type="citation",
        title="Rain",
        url="https://example.com",
        annotated_regions=[TextSpanRegion(type="text_span", start_index=0, end_index=4)],
    )
    file = Annotation(type="citation", file_id="file_1", title="a.txt")
    events = streamed(
        [
            update(text("Rain", annotations=[cited])),
            update(
                text(
                    "Rain", replace=True, annotations=[cited, file, Annotation(type="citation", snippet="x")]
                )
            ),
        ]
    )

    annotations = check_stream(events)["output"][0]["content"][0]["annotations"]
    assert [annotation["type"] for annotation in annotations] == ["url_citation", "file_citation"]
    assert kinds(events).count("output_text.annotation.added") == 2


def test_an_image_is_an_image_generation_call():
    final = check_stream(streamed([update(Content.from_data(b"png", "image/png"))]))

    assert final["output"][0]["type"] == "image_generation_call"
    assert final["output"][0]["result"] == "cG5n"


def test_a_generated_image_closes_the_call_that_announced_it():
    image = Content.from_data(b"png", "image/png")
    final = check_stream(
        streamed(
            [
                update(Content.from_image_generation_tool_call(image_id="ig")),
                update(Content.from_image_generation_tool_result(image_id="ig", outputs=image)),
            ]
        )
    )

    assert [(item["status"], item["result"]) for item in final["output"]] == [("completed", "cG5n")]


def test_a_call_of_a_hosted_mcp_server_is_one_item_with_its_output():
    final = check_stream(
        streamed(
            [
                update(
                    Content.from_mcp_server_tool_call("c", "search", server_name="docs", arguments={"q": "x"})
                ),
                update(Content.from_mcp_server_tool_result("c", output=[Content.from_text("found")])),
            ]
        )
    )

    assert [(item["type"], item["name"], item["output"]) for item in final["output"]] == [
        ("mcp_call", "search", "found")
    ]


def test_a_request_for_approval_is_an_mcp_approval_request():
    asked = Content.from_function_approval_request("req_1", call({"a": 1}))
    final = check_stream(streamed([update(call('{"a":1}')), update(asked)]))

    assert final["output"][1] == {
        "type": "mcp_approval_request",
        "id": "req_1",
        "name": "lookup",
        "arguments": '{"a":1}',
        "server_label": "host",
    }


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (
            Content.from_uri("https://example.com/a.png", media_type="image/png"),
            "[image/png: https://example.com/a.png]",
        ),
        (Content.from_data(b"x", "application/pdf", name="a.pdf"), "[file a.pdf]"),
        (Content.from_hosted_file("file_1"), "[file file_1]"),
        (Content.from_search_tool_call("c", tool_name="web"), "[search tool call: web]"),
        (Content.from_error(message="secret", error_code="E1"), "[error E1]"),
        (
            Content.from_oauth_consent_request("https://example.com/ok"),
            "[sign-in required: https://example.com/ok]",
        ),
        (Content.from_code_interpreter_tool_call(call_id="c"), "[code interpreter tool call]"),
    ],
)
def test_what_the_wire_cannot_show_becomes_a_short_text(content: Content, shown: str):
    final = check_stream(streamed([update(text("see ")), update(content), update(text(" there"))]))

    assert [said_in(item) for item in final["output"]] == ["see ", shown, " there"]


@pytest.mark.parametrize("status", ["failed", "cancelled", "incomplete"])
def test_items_that_are_still_open_end_incomplete(status: str):
    events = streamed([update(call('{"a'), text("half"))], status=status)

    final = check_stream(events)
    assert [item["status"] for item in final["output"]] == ["incomplete", "incomplete"] or final["output"][0][
        "status"
    ] == "incomplete"
    assert events[-1]["type"] == ("response.incomplete" if status == "incomplete" else "response.failed")
    assert final["status"] == status


def test_a_target_that_says_nothing_gives_a_valid_empty_answer():
    events = streamed([update(text(""))])

    assert check_stream(events)["output"] == []
    assert accumulated(events).output_text == ""


def test_an_update_that_replaces_its_message_sends_only_what_is_new():
    updates = [
        update(text("a"), call("{}")),
        update(text("a"), call("{}"), text("b"), merge_mode="replace"),
    ]

    assert [said_in(item) for item in check_stream(streamed(updates))["output"]] == ["a", "{}", "b"]


def test_an_update_that_replaces_its_message_with_a_longer_text_sends_the_rest():
    updates = [update(text("Hel")), update(text("Hello"), merge_mode="replace"), update(text("!"))]

    assert [said_in(item) for item in check_stream(streamed(updates))["output"]] == ["Hello", "!"]


@pytest.mark.parametrize("value", NASTY_TEXTS, ids=repr)
def test_any_text_arrives_as_it_is_apart_from_lone_surrogates(value: str):
    shown = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    assert "".join(said_in(item) for item in check_stream(streamed([update(text(value))]))["output"]) == shown


def test_one_shot_answers_have_the_same_items_as_streams():
    updates = [
        update(Content.from_text_reasoning(text="hm")),
        update(call("{}")),
        update(Content.from_function_result("call_1", result="1"), role="tool"),
        update(text("done"), role="assistant"),
    ]

    assert folded(updates) == output(updates)
    assert one_shot([]) == []
