"""What the log says of turns, and what it never says (contract 14.2, 18.2)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from hosting import ChannelIdentity, HostedRunResult, HostingError, HostLimits, RunFailed
from hosting.state import StateUnavailable
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Counting, Echo, Failing, Gate, Hang, Scripted, steps, workflow_pending
from tests.host.stores import ThreadedStore
from tests.host.turns import run

SAID, NATIVE, ROOM = "the launch code is 0000", "native-4711", "room-0815"
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])


async def corpus(host: InMemoryHost) -> None:
    """Turns that go well, are refused, fail and are cancelled, one-shot and streamed."""
    for stream in (False, True):
        for fields in (
            {"key": "s"},
            {"key": "s", "delivery_id": "key"},
            {"key": "s", "delivery_id": "key"},
            {"key": "a", "parent": "s"},
            {"key": "b", "parent": "nobody's"},
            {"key": "x\0"},
            {"session_mode": "required"},
            {"options": {"temperature": 1}, "client_tools": ["tool"]},
        ):
            try:
                await run(
                    host,
                    SAID,
                    fields.pop("key", None),
                    identity=ChannelIdentity("say", NATIVE),
                    conversation_id=ROOM,
                    stream=stream,
                    **fields,
                )
            except HostingError:
                continue
        turn = asyncio.create_task(run(host, SAID, "s", stream=stream))
        await asyncio.sleep(0)
        turn.cancel()
        await asyncio.wait([turn])


@pytest.mark.parametrize(
    "target",
    [
        Echo(),
        Counting(),
        Failing(RuntimeError("no"), after=1),
        Scripted(steps.Approval("transfer", {"to": SAID})),
        workflow_pending,
    ],
)
async def test_the_log_never_holds_what_was_said_or_by_whom(
    say_channel: Any, caplog: pytest.LogCaptureFixture, target: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    channel = say_channel(response_hook=lambda result: result)
    async with InMemoryHost(target, [channel], limits=HostLimits(max_concurrent_runs=2)) as host:
        await corpus(host)
    assert caplog.records
    for record in caplog.records:
        told = f"{record.getMessage()} {vars(record)}"
        for secret in (SAID, NATIVE, ROOM):
            assert secret not in told, record


@STREAMED
async def test_a_failed_turn_leaves_one_error_with_its_id_next_to_the_trace(
    say_channel: Any, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    async with InMemoryHost(Failing(after=1), [say_channel()], state=ThreadedStore()) as host:
        with pytest.raises(RunFailed) as caught:
            await run(host, "x", "s", delivery_id="key", stream=stream)
        with pytest.raises(RunFailed):
            await run(host, "x", "s", delivery_id="key", stream=stream)
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert caught.value.error_id in record.getMessage()
    assert record.exc_info and Failing.SECRET in str(record.exc_info[1])


async def test_a_refused_turn_is_no_error(say_channel: Any, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    limits = HostLimits(max_concurrent_runs=1, run_queue=0, session_queue=0)
    async with InMemoryHost(gate, [say_channel()], limits=limits) as host, asyncio.TaskGroup() as group:
        first = group.create_task(run(host, "one", "s"))
        await gate.reached("one")
        for key, parent in (("s", None), ("t", None), ("u", "nobody's")):
            with pytest.raises(HostingError):
                await run(host, "x", key, parent=parent)
        gate.release("one")
        await first
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_what_is_wrong_with_the_store_is_in_the_log(
    say_channel: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(ThreadedStore):
        full = False

        async def execute(self, *unit: Any) -> Any:
            if self.full:
                raise StateUnavailable("no space left on the device")
            return await super().execute(*unit)

    store = Full()
    async with InMemoryHost(Echo(), [say_channel()], state=store) as host:
        store.full = True
        with pytest.raises(StateUnavailable):
            await run(host, "x", "s")
        store.full = False
    assert "no space left on the device" in caplog.text


def ends(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if hasattr(record, "hosting_turn_id")]


@STREAMED
async def test_each_turn_leaves_a_record_for_programs(
    say_channel: Any, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    caplog.set_level(logging.INFO)
    hang = Hang()
    async with InMemoryHost(Echo(), [say_channel()]) as host:
        done: HostedRunResult[Any] = await run(host, SAID, "s", stream=stream)
    async with InMemoryHost(hang, [say_channel()]) as host:
        task = asyncio.create_task(run(host, SAID, "s", stream=stream))
        while not hang.hanging:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    first, second = ends(caplog)
    assert (first.hosting_turn_id, first.hosting_channel, first.hosting_outcome) == (
        done.turn_id,
        "say",
        "completed",
    )
    assert second.hosting_outcome == "cancelled"
    assert not hasattr(first, "hosting_input")


@STREAMED
async def test_with_log_content_the_record_says_who_said_what(
    say_channel: Any, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    caplog.set_level(logging.INFO)
    async with InMemoryHost(Echo("echo: "), [say_channel()], log_content=True) as host:
        await run(host, SAID, "s", identity=ChannelIdentity("say", NATIVE), stream=stream)
    (record,) = ends(caplog)
    assert (record.hosting_input, record.hosting_output) == (SAID, f"echo: {SAID}")
    assert record.hosting_identity == NATIVE
    assert SAID in record.getMessage() and NATIVE in record.getMessage()
