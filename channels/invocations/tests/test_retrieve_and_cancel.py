"""Stored invocations: retrieve, cancel, replay, clients that leave (channels 2.1, contract 4.3, 6.8, 6.12, 7.3)."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest

from channels.invocations.tests.serving import (
    ANN,
    BOB,
    INVOCATION_ID,
    PATH,
    SESSION_ID,
    assembled,
    events_of,
    invoke,
    replicas,
    serve,
    serve_ann_and_bob,
    status_of,
)
from hosting import HostLimits
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.streams import sse_events
from hosting_testkit.targets import Counting, Echo, Failing, Gate, Hang, Leak, Recorder, Scripted, steps
from hosting_testkit.transports import BridgeOptions

JOB = {INVOCATION_ID: "job"}


async def cancel(host: InMemoryHost, invocation: str = "job", **headers: str) -> Any:
    return await host.post(f"{PATH}/{invocation}/cancel", headers=headers)


async def test_an_invocation_is_retrieved_as_it_was_answered_also_after_a_restart() -> None:
    async with serve(Echo()) as host:
        answer = await invoke(host, session_id="s")
        await host.restart()
        again = await host.get(f"{PATH}/{answer.json()['invocation_id']}")
    assert again.json() == answer.json()
    assert again.headers[INVOCATION_ID] == answer.headers[INVOCATION_ID]
    assert SESSION_ID not in again.headers


async def test_unknown_and_foreign_invocations_look_alike() -> None:
    async with serve_ann_and_bob(Echo()) as host:
        await invoke(host, headers=JOB | ANN)
        assert await status_of(host, **ANN) == "completed"
        replies = [
            await host.get(f"{PATH}/job", headers=BOB),
            await cancel(host, **BOB),
            await host.get(f"{PATH}/other", headers=ANN),
        ]
    assert {reply.status_code for reply in replies} == {404}
    assert len({reply.content for reply in replies}) == 1
    assert replies[0].json()["error"]["code"] == "not_found"


@virtual_time
async def test_an_expired_invocation_is_not_found() -> None:
    async with serve(Echo(), store_ttl=60) as host:
        await invoke(host, headers=JOB)
        await asyncio.sleep(59)
        assert await status_of(host) == "completed"
        await asyncio.sleep(2)
        assert await status_of(host) == 404


async def test_a_stream_is_in_progress_until_its_end() -> None:
    target = Scripted("a", steps.Stop("middle"))
    body = {"input": "x", "stream": True}
    async with serve(target) as host, host.stream("POST", PATH, json=body, headers=JOB) as reply:
        events = sse_events(reply.aiter_bytes())
        await anext(events)
        assert await status_of(host) == "in_progress"
        target.gates.release("middle")
        assert [event.event async for event in events] == ["completed"]
        assert await status_of(host) == "completed"


async def test_a_stream_is_cancelled_from_another_connection() -> None:
    target = Hang("some words")
    body = {"input": "x", "stream": True}
    async with serve(target) as host, host.stream("POST", PATH, json=body, headers=JOB) as reply:
        events = sse_events(reply.aiter_bytes())
        first = await anext(events)
        answer = await cancel(host)
        rest = [event async for event in events]
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert answer.headers[INVOCATION_ID] == "job"
        assert [event.event for event in rest] == ["cancelled"]
        end = events_of(f"event: cancelled\ndata: {rest[0].data}\n\n".encode())[0][1]
        delta = events_of(f"event: delta\ndata: {first.data}\n\n".encode())[0]
        assert end["messages"] == assembled([delta, ("cancelled", end)])
        assert (target.hanging, target.ended) == (0, 1)
        assert (await host.get(f"{PATH}/job")).json() == end


async def test_a_one_shot_invocation_is_cancelled_from_another_connection() -> None:
    gate = Gate()
    async with serve(gate) as host, asyncio.TaskGroup() as group:
        waiting = group.create_task(invoke(host, "wait", headers=JOB, session_id="s"))
        await gate.reached("wait")
        assert await status_of(host) == "in_progress"
        assert (await cancel(host)).json()["status"] == "cancelled"
        reply = await waiting
        assert (reply.status_code, reply.json()["status"]) == (200, "cancelled")


async def test_cancelling_what_has_ended_gives_its_state() -> None:
    async with serve(Echo()) as host:
        answer = await invoke(host, headers=JOB)
        for _ in range(2):
            assert (await cancel(host)).json() == answer.json()


async def test_a_cancelled_turn_leaves_its_session_as_it_was() -> None:
    leak = Leak(Counting())
    async with serve(leak, host_options={"limits": HostLimits(stream_buffer=1)}) as host:
        assert (await invoke(host, session_id="s")).json()["output"] == "turn 1"
        body = {"input": "x", "stream": True, "session_id": "s"}
        async with host.stream(
            "POST", PATH, json=body, headers=JOB, extensions={"bridge": BridgeOptions(window=0)}
        ) as reply:
            await anext(reply.aiter_raw())
        assert (await invoke(host, session_id="s")).json()["output"] == "turn 2"
    leak.assert_all_closed()


@pytest.mark.parametrize("style", ["2.3", "2.4"])
async def test_a_client_that_leaves_a_stream_ends_the_run(style: Literal["2.3", "2.4"]) -> None:
    hang = Hang("some words")
    async with serve(hang) as host:
        async with host.stream(
            "POST",
            PATH,
            json={"input": "x", "stream": True},
            headers=JOB,
            extensions={"bridge": BridgeOptions(asgi=style)},
        ) as reply:
            await anext(reply.aiter_raw())
            assert hang.hanging == 1
        assert (hang.hanging, hang.ended) == (0, 1)
        stored = (await host.get(f"{PATH}/job")).json()
    assert (stored["status"], stored["output"]) == ("cancelled", "some words")


@virtual_time
async def test_a_client_that_leaves_a_one_shot_invocation_ends_the_run() -> None:
    hang = Hang()
    async with serve(hang) as host:
        waiting = asyncio.create_task(invoke(host, headers=JOB))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert (hang.hanging, hang.ended) == (0, 1)
        assert await status_of(host) == "cancelled"


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
async def test_the_same_id_again_gives_the_same_answer_without_a_run(first: bool, second: bool) -> None:
    target = Recorder(Scripted("a", steps.ToolCall("tool"), steps.ToolResult("r"), "b"))
    async with serve(target) as host:
        before = await invoke(host, stream=first, headers=JOB, session_id="s")
        after = await invoke(host, stream=second, headers=JOB)
    assert len(target.runs) == 1
    assert after.headers[SESSION_ID] == "s"
    answers = [
        events_of(reply.content)[-1][1] if stream else reply.json()
        for reply, stream in ((before, first), (after, second))
    ]
    assert answers[0] == answers[1]
    if second:
        assert assembled(events_of(after.content)) == answers[1]["messages"]


async def test_a_replay_outlives_the_record_and_the_process() -> None:
    target = Recorder(Echo())
    async with serve(target, store_ttl=1e-3) as host:  # the host remembers the turn for longer
        before = (await invoke(host, "once", headers=JOB, session_id="s")).json()
        await host.restart()
        after = (await invoke(host, "twice", headers=JOB, session_id="s")).json()
    assert len(target.runs) == 1
    assert after == before


async def test_the_same_id_of_another_caller_is_another_invocation() -> None:
    async with serve_ann_and_bob(Echo()) as host:
        assert (await invoke(host, "of ann", headers=JOB | ANN)).json()["output"] == "of ann"
        assert (await invoke(host, "of bob", headers=JOB | BOB)).json()["output"] == "of bob"
        assert (await host.get(f"{PATH}/job", headers=ANN)).json()["output"] == "of ann"


async def test_the_same_id_while_the_first_runs_is_409_and_harms_nothing() -> None:
    gate = Gate()
    async with serve(gate) as host, asyncio.TaskGroup() as group:
        waiting = group.create_task(invoke(host, "wait", headers=JOB))
        await gate.reached("wait")
        for stream in (False, True):
            second = await invoke(host, "other", headers=JOB, stream=stream)
            assert (second.status_code, second.json()["error"]["code"]) == (409, "turn_in_progress")
            assert second.headers["retry-after"] == "1"
        assert await status_of(host) == "in_progress"
        gate.release("wait")
        assert (await waiting).json()["output"] == "wait"


async def test_the_same_id_on_another_replica_is_409_and_harms_nothing() -> None:
    gate, other = Gate(), Recorder(Echo())
    async with replicas(gate, other) as [(host, _), (replica, _)], asyncio.TaskGroup() as group:
        waiting = group.create_task(invoke(host, "wait", headers=JOB))
        await gate.reached("wait")
        assert (await invoke(replica, "other", headers=JOB)).status_code == 409
        assert await status_of(replica) == "in_progress"
        gate.release("wait")
        answer = (await waiting).json()
        assert (await invoke(replica, "other", headers=JOB)).json() == answer
    assert other.runs == []


async def test_a_failure_is_replayed_too() -> None:
    target = Recorder(Failing())
    async with serve(target) as host:
        before = await invoke(host, headers=JOB)
        after = await invoke(host, headers=JOB)
        stored = (await host.get(f"{PATH}/job")).json()
    assert len(target.runs) == 1
    assert (after.status_code, after.json()) == (500, before.json())
    assert (stored["status"], stored["error"]) == ("failed", before.json()["error"])


@virtual_time
@pytest.mark.parametrize("stream", [False, True])
async def test_one_whose_host_is_gone_was_interrupted_and_one_elsewhere_was_not(stream: bool) -> None:
    gate, other = Gate(), Recorder(Echo())
    async with replicas(gate, other) as [(one, line), (two, _)]:
        waiting = asyncio.create_task(invoke(one, "wait", headers=JOB, stream=stream))
        await gate.reached("wait")
        await two.restart()
        assert await status_of(two) == "in_progress"
        await asyncio.sleep(300)
        assert await status_of(two) == "in_progress"
        line.cut = True
        await asyncio.sleep(300)
        answer = (await two.get(f"{PATH}/job")).json()
        assert (answer["status"], answer["error"]["code"]) == ("failed", "interrupted")
        again = await invoke(two, headers=JOB)
        assert (again.status_code, again.json()["error"]) == (500, answer["error"])
        waiting.cancel()
        await asyncio.wait([waiting])
    assert other.runs == []


@virtual_time
async def test_one_that_ends_together_with_its_host_was_not_interrupted() -> None:
    gate = Gate()
    async with replicas(gate, Echo()) as [(one, _), (two, line)]:
        waiting = asyncio.create_task(invoke(one, "wait", headers=JOB))
        await gate.reached("wait")

        async def both_end() -> None:
            gate.release("wait")
            await waiting
            await one.shutdown()

        line.before["instances.is_alive"] = both_end
        assert await status_of(two) == "completed"


@virtual_time
async def test_a_foreground_invocation_is_cancelled_from_another_host() -> None:
    gate = Gate()
    async with replicas(gate, Echo()) as [(one, _), (two, _)]:
        asked = asyncio.create_task(invoke(one, headers={INVOCATION_ID: "job"}))
        await gate.reached("hello")
        cancelled = await two.post(f"{PATH}/job/cancel")
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        assert (await asked).json()["status"] == "cancelled"
        assert gate.waiting("hello") == 0
        again = await two.post(f"{PATH}/job/cancel")
        assert again.json()["status"] == "cancelled"
