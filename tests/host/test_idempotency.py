"""The same `Idempotency-Key`, the same answer (contract 4.3)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hosting import (
    Caller,
    HookRejected,
    HostingError,
    HostLimits,
    InMemoryHostStateStore,
    RateLimited,
    RequestError,
    RunFailed,
    RunTimeout,
    SqliteHostStateStore,
    TurnInProgress,
)
from hosting.state.tables import turns
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Counting, Echo, Failing, Gate, Hang, Recorder, Scripted, steps
from tests import documents
from tests.host.turns import request, run

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])


@STREAMED
async def test_a_repeated_key_gets_the_first_answer_and_runs_nothing(say_channel: Any, stream: bool) -> None:
    recorder = Recorder(Counting())
    async with InMemoryHost(recorder, [say_channel()]) as host:
        first = await run(host, "x", "s", delivery_id="key")
        again = await run(host, "x", "s", delivery_id="key", stream=stream)
        assert (again.text, again.response_id, again.turn_id) == (
            first.text,
            first.response_id,
            first.turn_id,
        )
        assert (await run(host, "x", "s", delivery_id="other", stream=stream)).text == "turn 2"
    assert len(recorder.runs) == 2


async def test_a_repeated_key_streams_the_first_answer_under_its_id(say_channel: Any) -> None:
    async with InMemoryHost(Scripted("a", "b", "c"), [say_channel()]) as host:
        first = await run(host, "x", delivery_id="key", stream=True)
        stream = await host.host.run_stream(request("x", delivery_id="key"))
        assert stream.response_id == first.response_id
        assert stream.turn_id == first.turn_id
        assert "".join([update.text async for update in stream]) == "abc"
        assert (await stream.result()).response_id == first.response_id


async def test_a_key_is_kept_over_a_restart(say_channel: Any, tmp_path: Path) -> None:
    for _ in range(2):
        state = SqliteHostStateStore(tmp_path / "hosting.db")
        async with InMemoryHost(Counting(), [say_channel()], state=state) as host:
            result = await run(host, "x", "s", delivery_id="key")
            assert (result.text, result.session and result.session.key) == ("turn 1", "s")


@STREAMED
async def test_a_key_whose_first_request_still_runs_waits_for_its_answer(
    say_channel: Any, stream: bool
) -> None:
    recorder = Recorder(gate := Gate())
    async with InMemoryHost(recorder, [say_channel()]) as host, asyncio.TaskGroup() as group:
        first = group.create_task(run(host, "one", delivery_id="key"))
        await gate.reached("one")
        again = group.create_task(run(host, "one", delivery_id="key", stream=stream))
        gate.release("one")
        assert (await again).turn_id == (await first).turn_id
        assert (await again).text == "one"
    assert len(recorder.runs) == 1


async def test_a_key_whose_first_request_runs_in_another_process_is_409(say_channel: Any) -> None:
    state = InMemoryHostStateStore()
    async with InMemoryHost(Echo(), [say_channel()], state=state) as host:
        elsewhere = turns.begin_turn(
            turn_id="turn_1", channel="say", caller="", delivery_id="key", response_id="resp_1", now_ms=0
        )
        await state.execute(elsewhere)
        with pytest.raises(TurnInProgress) as caught:
            await run(host, "one", delivery_id="key")
        assert caught.value.retry_after


async def test_a_request_that_waits_can_leave_and_the_first_goes_on(say_channel: Any) -> None:
    gate = Gate()
    async with InMemoryHost(gate, [say_channel()]) as host, asyncio.TaskGroup() as group:
        first = group.create_task(run(host, "one", delivery_id="key"))
        await gate.reached("one")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(run(host, "one", delivery_id="key"), 0)
        gate.release("one")
        assert (await first).text == "one"


async def test_two_callers_and_two_channels_with_one_key_have_an_answer_each(say_channel: Any) -> None:
    class Numbered(Echo):
        async def answer(self, run: Any) -> Any:
            yield run.update(("one", "two", "three")[run.number - 1])

    async with InMemoryHost(Numbered(), [say_channel(), say_channel("b", "/b")]) as host:
        assert (await run(host, "x", delivery_id="key", caller=Caller("ann"))).text == "one"
        assert (await run(host, "x", delivery_id="key", caller=Caller("ben"))).text == "two"
        other = request("x", delivery_id="key", caller=Caller("ann")).replace(channel="b")
        assert (await host.host.run(other)).text == "three"


@STREAMED
async def test_a_failed_first_request_fails_again_under_the_same_code(say_channel: Any, stream: bool) -> None:
    recorder = Recorder(Failing())
    async with InMemoryHost(recorder, [say_channel()]) as host:
        for _ in range(2):
            with pytest.raises(RunFailed) as caught:
                await run(host, "x", delivery_id="key", stream=stream)
            assert caught.value.code == "internal_error"
            assert Failing.SECRET not in str(caught.value)
    assert len(recorder.runs) == 1


async def test_a_request_that_was_refused_before_its_run_can_be_sent_again(say_channel: Any) -> None:
    gate = Gate()
    limits = HostLimits(max_concurrent_runs=1, run_queue=0)
    async with InMemoryHost(gate, [say_channel()], limits=limits) as host, asyncio.TaskGroup() as group:
        first = group.create_task(run(host, "one", "a"))
        await gate.reached("one")
        with pytest.raises(RateLimited):
            await run(host, "two", "b", delivery_id="key")
        gate.release("one")
        await first
        gate.release("two")
        assert (await run(host, "two", "b", delivery_id="key")).text == "two"


async def test_a_request_that_a_hook_refused_is_refused_again_the_same_way(say_channel: Any) -> None:
    def refuse(request: Any) -> Any:
        raise HookRejected("Not on Sundays.", status=403, code="sunday")

    async with InMemoryHost(Counting(), [say_channel(run_hook=refuse)]) as host:
        for _ in range(2):
            with pytest.raises(HookRejected, match="Sundays") as caught:
                await run(host, "x", delivery_id="key")
            assert (caught.value.status, caught.value.code) == (403, "sunday")


@virtual_time
async def test_a_run_that_took_too_long_is_504_again() -> None:
    channel = documents.run("docs/first-channel.md", "first_channel")["SayChannel"]()
    async with InMemoryHost(Hang(), [channel], limits=HostLimits(run_timeout=30)) as host:
        for _ in range(2):
            with pytest.raises(HostingError) as caught:
                await run(host, "x", delivery_id="key")
            assert (caught.value.code, caught.value.status) == (RunTimeout.code, RunTimeout.status)


async def test_an_answer_with_open_requests_has_them_again(say_channel: Any) -> None:
    target = Scripted(steps.Approval("transfer", {"amount": 5}))
    async with InMemoryHost(target, [say_channel()]) as host:
        first = await run(host, "x", "s", delivery_id="key", client_state={"a": 1})
        again = await run(host, "x", "s", delivery_id="key", client_state={"a": 1})
    assert again.status == first.status == "input_required"
    assert [request.to_dict() for request in again.requests] == [
        request.to_dict() for request in first.requests
    ]
    assert again.client_state == first.client_state == {"a": 1}


@STREAMED
@pytest.mark.parametrize("key", ["", "  "])
async def test_a_blank_key_is_refused_for_it_is_nobodys(say_channel: Any, stream: bool, key: str) -> None:
    recorder = Recorder(Echo())
    async with InMemoryHost(recorder, [say_channel()]) as host:
        with pytest.raises(RequestError, match="blank"):
            await run(host, "x", delivery_id=key, stream=stream)
    assert recorder.runs == []
