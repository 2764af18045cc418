"""One-shot invocations: input, answer, ids, sessions (channels 2, protocols 2)."""

from __future__ import annotations

from typing import Any

import pytest

from channels.invocations.tests.serving import (
    ANN,
    BOB,
    INVOCATION_ID,
    PATH,
    SESSION_ID,
    invoke,
    recording,
    serve,
    serve_ann_and_bob,
)
from hosting import ChannelRequest
from hosting_testkit import InMemoryHost, SequentialIds
from hosting_testkit.targets import Counting, Echo, Recorder, Scripted, steps


async def test_the_answer_has_all_its_keys() -> None:
    async with serve(Scripted("Hello ", "there", steps.Usage(3, 4))) as host:
        reply = await invoke(host, session_id="s-1", headers={INVOCATION_ID: "job-1"})
    assert reply.status_code == 200
    assert reply.json() == {
        "invocation_id": "job-1",
        "session_id": "s-1",
        "status": "completed",
        "output": "Hello there",
        "messages": [
            {"role": "assistant", "author": "scripted", "content": [{"type": "text", "text": "Hello there"}]}
        ],
        "requests": [],
        "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
        "error": None,
    }


async def test_every_kind_of_content_is_an_item_of_its_own() -> None:
    target = Scripted(
        steps.Reasoning("hm"),
        "before",
        steps.ToolCall("tool", {"a": 1}),
        steps.ToolResult("found"),
        "after",
        steps.Refusal("no"),
        steps.Media(),
    )
    async with serve(target) as host:
        messages = (await invoke(host)).json()["messages"]
    assert [(message["role"], [item["type"] for item in message["content"]]) for message in messages] == [
        ("assistant", ["reasoning", "text", "tool_call"]),
        ("tool", ["tool_result"]),
        ("assistant", ["text", "refusal", "file"]),
    ]
    call, result = messages[0]["content"][2], messages[1]["content"][0]
    assert call == {"type": "tool_call", "call_id": "call_1", "name": "tool", "arguments": '{"a": 1}'}
    assert result == {"type": "tool_result", "call_id": "call_1", "result": "found"}
    assert messages[2]["content"][2]["uri"].startswith("data:image/png;base64,")


async def test_a_target_that_says_nothing_gives_an_empty_answer() -> None:
    async with serve(Scripted()) as host:
        answer = (await invoke(host)).json()
    assert (answer["status"], answer["output"], answer["messages"]) == ("completed", "", [])


async def test_an_answer_cut_short_is_incomplete() -> None:
    async with serve(Scripted("half", steps.Finish("length"))) as host:
        assert (await invoke(host)).json()["status"] == "incomplete"


async def test_broken_text_of_the_target_is_mended() -> None:
    async with serve(Scripted("a\ud800b", steps.ToolCall("tool", '{"x": "\ud800"}'))) as host:
        answer = (await invoke(host)).json()
    assert answer["output"] == "a\ufffdb"
    assert "\ufffd" in answer["messages"][0]["content"][1]["arguments"]


@pytest.mark.parametrize("key", ["input", "message"])
async def test_text_may_come_as_input_or_message(key: str) -> None:
    async with serve(Echo()) as host:
        reply = await host.post(PATH, json={key: " said \n"})
    assert reply.json()["output"] == " said \n"


async def test_messages_reach_the_target_with_their_roles_and_parts() -> None:
    target = Recorder(Echo())
    said = [
        {"role": "system", "content": "be short"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "file", "uri": "data:image/png;base64,iVBO", "name": "x.png"},
                {"type": "file", "uri": "https://example.com/x.pdf", "media_type": "application/pdf"},
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_call", "call_id": "c", "name": "f"}]},
        {"role": "tool", "content": [{"type": "tool_result", "call_id": "c", "result": {"n": 1}}]},
    ]
    async with serve(target) as host:
        reply = await host.post(PATH, json={"messages": said})
    assert reply.status_code == 200
    messages = target.runs[0].messages
    assert [message.role for message in messages] == ["system", "user", "assistant", "tool"]
    contents = [content for message in messages for content in message.contents]
    assert [content.type for content in contents] == [
        "text",
        "text",
        "data",
        "uri",
        "function_call",
        "function_result",
    ]
    assert contents[3].media_type == "application/pdf"
    assert contents[5].result == '{"n":1}'


async def test_unknown_keys_reach_hooks_and_not_the_target() -> None:
    seen: list[ChannelRequest] = []
    async with serve(Echo(), run_hook=recording(seen)) as host:
        await invoke(host, colour="red", hosting={"a": 1})
    assert seen[0].attributes == {"body": {"colour": "red"}, "hosting": {"a": 1}}
    assert seen[0].operation == "invoke"


async def test_a_hook_sees_the_native_body() -> None:
    bodies: list[Any] = []

    def run_hook(request: ChannelRequest, *, protocol_request: Any) -> ChannelRequest:
        bodies.append(protocol_request)
        return request

    async with serve(Echo(), run_hook=run_hook) as host:
        await invoke(host, colour="red")
    assert bodies == [{"input": "hello", "colour": "red"}]


async def test_ids_are_made_by_the_hosts_source() -> None:
    async with serve(Echo(), host_options={"id_source": SequentialIds()}) as host:
        reply = await invoke(host)
    assert reply.headers[INVOCATION_ID] == reply.json()["invocation_id"] != ""
    assert reply.headers[INVOCATION_ID].startswith("inv_")
    assert reply.headers[SESSION_ID].startswith("session_")


async def session_used(host: InMemoryHost, query: str = "", **request: Any) -> str:
    reply = await host.post(
        PATH + query, json={"input": "x", **request.get("body", {})}, headers=request.get("headers", {})
    )
    assert reply.headers[SESSION_ID] == reply.json()["session_id"]
    return reply.headers[SESSION_ID]


async def test_the_session_comes_from_query_then_header_then_body_then_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FOUNDRY_AGENT_SESSION_ID", "env")
    body, headers = {"session_id": "body"}, {SESSION_ID: "header"}
    async with serve(Echo()) as host:
        monkeypatch.delenv("FOUNDRY_AGENT_SESSION_ID")  # read when the channel was built
        assert await session_used(host, "?agent_session_id=query", headers=headers, body=body) == "query"
        assert await session_used(host, headers=headers, body=body) == "header"
        assert await session_used(host, body=body) == "body"
        assert await session_used(host) == "env"


@pytest.mark.parametrize("bad", ["a b", "é", "x" * 257, "a/b"])
async def test_a_bad_session_is_replaced_in_the_query_and_refused_in_the_body(bad: str) -> None:
    async with serve(Echo()) as host:
        reply = await host.post(PATH, params={"agent_session_id": bad}, json={"input": "x"})
        assert reply.headers[SESSION_ID].startswith("session_")
        refused = await invoke(host, session_id=bad)
    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["target"] == "session_id"
    assert refused.headers[SESSION_ID].startswith("session_")


async def test_turns_of_one_session_go_on_and_other_sessions_begin_anew() -> None:
    async with serve(Counting()) as host:
        outputs = [(await invoke(host, session_id=session)).json()["output"] for session in ("a", "a", "b")]
        unnamed = (await invoke(host)).json()["output"]
    assert [*outputs, unnamed] == ["turn 1", "turn 2", "turn 1", "turn 1"]


async def test_a_session_belongs_to_its_caller() -> None:
    async with serve_ann_and_bob(Counting()) as host:
        for headers, output in ((ANN, "turn 1"), (ANN, "turn 2"), (BOB, "turn 1")):
            assert (await invoke(host, session_id="s", headers=headers)).json()["output"] == output


async def test_a_session_survives_a_restart() -> None:
    async with serve(Counting()) as host:
        await invoke(host, session_id="s")
        await host.restart()
        assert (await invoke(host, session_id="s")).json()["output"] == "turn 2"
