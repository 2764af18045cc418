"""Server-sent events: deltas, items, one end that repeats them (contract 7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from channels.invocations.tests.serving import (
    INVOCATION_ID,
    PATH,
    SESSION_ID,
    assembled,
    events_of,
    invoke,
    serve,
)
from hosting import HostLimits
from hosting_testkit import virtual_time
from hosting_testkit.streams import sse_events, validate_sse
from hosting_testkit.targets import Failing, Scripted, steps

SCRIPTS: dict[str, list[steps.Step]] = {
    "pieces": ["Hel", "lo"],
    "nothing": [],
    "an equal replacement": ["one ", "two", steps.Replace("one two")],
    "a longer replacement": ["one ", steps.Replace("one two")],
    "a split call and its result": [
        "before ",
        steps.ToolCall("tool", {"a": 1, "b": 2}, split=4),
        steps.ToolResult("found"),
        "after",
    ],
    "two calls": [
        steps.ToolCall("one", {"a": 1}, call_id="c1", split=2),
        steps.ToolCall("two", {"b": 2}, call_id="c2"),
        "said",
    ],
    "reasoning in pieces": [steps.Reasoning("think"), steps.Reasoning("ing"), "said"],
    "reasoning replaced": [steps.Reasoning("thin"), steps.Reasoning("thought", replace=True), "said"],
    "two messages": ["first", steps.NextMessage(), "second"],
    "an image": ["look: ", steps.Media(), " done"],
    "a refusal": ["I ", steps.Refusal("can"), steps.Refusal("not")],
    "an approval": [steps.Approval("delete", {"path": "x"})],
    "cut short": ["half", steps.Finish("length")],
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_events_add_up_to_the_one_shot_answer(name: str) -> None:
    async with serve(Scripted(*SCRIPTS[name])) as host:
        whole = (await invoke(host, session_id="s-1", headers={INVOCATION_ID: "job-1"})).json()
        reply = await invoke(host, session_id="s-2", stream=True, headers={INVOCATION_ID: "job-2"})
        stored = (await host.get(f"{PATH}/job-2")).json()
    events = events_of(reply.content)
    assert assembled(events) == events[-1][1]["messages"] == whole["messages"]
    assert events[-1] == (whole["status"], {**whole, "invocation_id": "job-2", "session_id": "s-2"})
    assert (
        "".join(data["text"] for event, data in events if event == "delta" and data["type"] == "text")
        == whole["output"]
    )
    assert stored == events[-1][1]


async def test_a_different_replacement_begins_a_new_item() -> None:
    async with serve(Scripted("one two", steps.Replace("three"))) as host:
        events = events_of((await invoke(host, stream=True)).content)
    assert assembled(events) == events[-1][1]["messages"]
    assert [item["text"] for item in events[-1][1]["messages"][0]["content"]] == ["one two", "three"]


async def test_the_stream_is_well_formed_and_carries_the_ids() -> None:
    async with serve(Scripted("a")) as host:
        reply = await invoke(host, stream=True, session_id="s", headers={INVOCATION_ID: "job"})
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert (reply.headers[INVOCATION_ID], reply.headers[SESSION_ID]) == ("job", "s")
    assert validate_sse(reply.headers["content-type"], reply.content) == []


async def test_the_first_delta_leaves_before_the_target_has_finished() -> None:
    target = Scripted("first", steps.Stop("middle"), "last")
    async with (
        serve(target) as host,
        host.stream("POST", PATH, json={"input": "x", "stream": True}) as reply,
    ):
        events = sse_events(reply.aiter_bytes())
        assert '"first"' in (await anext(events)).data
        target.gates.release("middle")
        assert [event.event async for event in events][-1] == "completed"


async def test_a_call_is_told_when_its_last_piece_is_known_to_have_come() -> None:
    target = Scripted(steps.ToolCall("tool"), steps.Usage(), steps.Stop("tool runs"), steps.ToolResult("x"))
    async with (
        serve(target) as host,
        host.stream("POST", PATH, json={"input": "x", "stream": True}) as reply,
    ):
        events = sse_events(reply.aiter_bytes())
        assert '"tool_call"' in (await anext(events)).data
        target.gates.release("tool runs")
        assert [event.event async for event in events] == ["item", "completed"]


@virtual_time
async def test_silence_is_filled_with_comments_and_tells_what_waits() -> None:
    target = Scripted("a", steps.Sleep(40), steps.ToolCall("tool"), steps.Sleep(40))
    limits = HostLimits(keepalive=15)
    async with serve(target, host_options={"limits": limits}) as host:
        reply = await invoke(host, stream=True)
    assert reply.content.count(b": keep-alive\n\n") == 3  # two before the call, and one of two behind it
    assert [name for name, _ in events_of(reply.content)] == ["delta", "item", "completed"]


async def test_a_failure_in_the_middle_is_the_last_event() -> None:
    async with serve(Failing(after=2)) as host:
        reply = await invoke(host, stream=True, headers={INVOCATION_ID: "job"})
        stored = (await host.get(f"{PATH}/job")).json()
    events = events_of(reply.content)
    name, answer = events[-1]
    assert (name, answer["status"], answer["error"]["code"]) == ("failed", "failed", "internal_error")
    assert answer["messages"] == assembled(events) != []
    assert stored == answer
    assert Failing.SECRET not in reply.text


async def test_a_failure_before_the_first_event_has_a_status() -> None:
    async with serve(Failing()) as host:
        reply = await invoke(host, stream=True, session_id="s", headers={INVOCATION_ID: "job"})
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "internal_error"
    assert (reply.headers[INVOCATION_ID], reply.headers[SESSION_ID]) == ("job", "s")


async def test_the_stream_hook_decides_what_is_streamed_and_stored_but_not_the_one_shot_answer() -> None:
    def hook(update: Any) -> Any:
        return None if update.text == "b" else update

    async with serve(Scripted("a", "b", "c"), stream_update_hook=hook) as host:
        streamed = events_of((await invoke(host, stream=True)).content)
        assert (await invoke(host)).json()["output"] == "abc"
        stored = (await host.get(f"{PATH}/{streamed[-1][1]['invocation_id']}")).json()
    assert streamed[-1][1]["output"] == "ac" == stored["output"]


async def test_a_response_hook_replaces_what_is_streamed() -> None:
    async def shout(result: Any) -> Any:
        for content in result.result.messages[0].contents:
            content.text = content.text.upper()
        return result

    async with serve(Scripted("a", "b"), response_hook=shout) as host:
        events = events_of((await invoke(host, stream=True)).content)
    assert assembled(events) == events[-1][1]["messages"]
    assert events[-1][1]["output"] == "AB"


async def test_updates_that_wait_leave_in_one_frame() -> None:
    async with (
        serve(Scripted(*"abcdef")) as host,
        host.stream("POST", PATH, json={"input": "x", "stream": True}) as reply,
    ):
        await asyncio.sleep(0)
        frames = [frame async for frame in reply.aiter_raw()]
    deltas = [data["text"] for name, data in events_of(b"".join(frames)) if name == "delta"]
    assert "".join(deltas) == "abcdef"
    assert len(deltas) < 6
