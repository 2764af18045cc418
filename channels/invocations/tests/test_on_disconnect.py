"""`on_disconnect="continue"`: an invocation that does not depend on its client (contract 7.3)."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.invocations.tests.serving import INVOCATION_ID, PATH, ended, events_of, invoke, serve
from hosting_testkit import virtual_time
from hosting_testkit.targets import Failing, Gate, Recorder, Scripted, steps

JOB = {INVOCATION_ID: "job"}
KEPT: dict[str, Any] = {"on_disconnect": "continue"}


@virtual_time
async def test_whoever_stays_sees_no_difference() -> None:
    async with serve(Scripted("one ", "two"), **KEPT) as kept, serve(Scripted("one ", "two")) as plain:
        answers = [(await invoke(host, session_id="s", headers=JOB)).json() for host in (kept, plain)]
        streams = [
            events_of((await invoke(host, session_id="s", stream=True)).content) for host in (kept, plain)
        ]
    assert answers[0] == answers[1]
    assert [name for name, _ in streams[0]][-1] == [name for name, _ in streams[1]][-1] == "completed"
    assert streams[0][-1][1]["output"] == streams[1][-1][1]["output"] == "one two"


@virtual_time
async def test_a_client_that_left_finds_the_answer_and_the_events() -> None:
    target = Scripted("one ", steps.Stop("middle"), "two")
    recorder = Recorder(target)
    async with serve(recorder, **KEPT) as host:
        async with host.stream("POST", PATH, json={"input": "x", "stream": True}, headers=JOB) as stream:
            async for chunk in stream.aiter_bytes():
                if b"one" in chunk:
                    break
        target.gates.release("middle")
        assert (await ended(host))["output"] == "one two"
        again = await host.get(f"{PATH}/job?stream=true")
        assert events_of(again.content)[-1][0] == "completed"
    assert len(recorder.runs) == 1


@virtual_time
async def test_one_that_waited_for_json_may_come_back_with_the_same_id() -> None:
    gate = Gate()
    recorder = Recorder(gate)
    async with serve(recorder, **KEPT) as host:
        call = asyncio.create_task(invoke(host, headers=JOB))
        await gate.reached("hello")
        call.cancel()
        await asyncio.wait([call])
        again = asyncio.create_task(invoke(host, headers=JOB))
        await asyncio.wait([again], timeout=1)
        gate.release("hello")
        answer = await again
        assert (answer.status_code, answer.json()["output"]) == (200, "hello")
    assert len(recorder.runs) == 1


@virtual_time
async def test_a_failure_has_its_status() -> None:
    async with serve(Failing(), **KEPT) as host:
        answer = await invoke(host, headers=JOB)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
        assert (await invoke(host, headers=JOB)).status_code == 500


@virtual_time
async def test_a_server_that_stops_sends_the_waiting_client_away() -> None:
    gate = Gate()
    async with serve(gate, **KEPT) as host:
        call = asyncio.create_task(invoke(host))
        await gate.reached("hello")
        await host.shutdown()
        answer = await call
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
