"""A task runs once, with what it was given."""

from __future__ import annotations

import datetime
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace

from hosting import UnknownReference
from hosting.durable import PushPayloadNotSerializable, TaskContext, TaskHandle

from ..harness import Attempts, RunnerHarness, same
from ..registry import check

_ODD: dict[str, Any] = {
    "nul and half a pair": "\x00 \ud800 \u2028 é",
    "numbers": [0, -1, 2**70, 1.0, 1e-300, 0.1, True, False, None],
    "nested": {"": [[], {}, [{}]], 'key with "quotes"': "\\"},
}


@check("11.1")
async def a_task_is_scheduled_runs_once_and_succeeds(harness: RunnerHarness) -> None:
    attempts = Attempts(gated=True)
    async with harness.running({"work": attempts}) as runner:
        handle = await runner.schedule("work", {"n": 1}, key="k")
        await harness.until(lambda: len(attempts.begun) == 1, "the task's first attempt")
        same(await runner.get(handle), "running")
        attempts.open()
        await harness.until_status(runner, handle, "succeeded")
        assert await runner.cancel(handle) is False, "a task that has ended was cancelled"
    same(attempts.ended, [{"n": 1}])
    context = attempts.contexts[0]
    same((context.task_id, context.name, context.attempt), (handle.task_id, "work", 1))
    same((context.max_attempts, context.key), (5, "k"))


@check("11.1")
async def a_payload_comes_back_as_it_was(harness: RunnerHarness) -> None:
    attempts = Attempts()
    given: list[Any] = [_ODD, [], "", 0, None]
    async with harness.running({"work": attempts}) as runner:
        handles = [await runner.schedule("work", payload, key="k") for payload in given]
        await harness.until_status(runner, handles[-1], "succeeded")
    same(attempts.begun, given)


@check("11.1")
async def what_is_no_json_is_refused_when_it_is_scheduled(harness: RunnerHarness) -> None:
    attempts = Attempts()
    itself: list[Any] = []
    itself.append(itself)
    today = datetime.datetime.now(datetime.UTC)
    async with harness.running({"work": attempts}) as runner:
        for payload in (object(), {"at": today}, {1: "a"}, [b"x"], {1, 2}, float("nan"), 10**5000, itself):
            try:
                await runner.schedule("work", payload, key="k")
            except PushPayloadNotSerializable:
                continue
            raise AssertionError(f"a payload of type {type(payload).__name__} was taken")
        handle = await runner.schedule("work", "json", key="k")
        await harness.until_status(runner, handle, "succeeded")
    same(attempts.begun, ["json"])


@check("11.1")
async def a_task_that_never_was_is_unknown(harness: RunnerHarness) -> None:
    async with harness.running({}) as runner:
        for ask in (runner.get, runner.cancel):
            try:
                await ask(TaskHandle("task_none", "work"))
            except UnknownReference:
                continue
            raise AssertionError(f"{ask.__name__} of a task that never was gave an answer")


@check("11.1")
async def handlers_are_registered_once_and_before_the_start(harness: RunnerHarness) -> None:
    runner = harness.make()
    runner.register("work", Attempts())
    _refused(ValueError, lambda: runner.register("work", Attempts()), "a second handler of one name")
    _refused(ValueError, lambda: runner.register("", Attempts()), "an empty name")
    await runner.resume()
    try:
        _refused(RuntimeError, lambda: runner.register("late", Attempts()), "a handler after the start")
    finally:
        await runner.drain(0)


@check("11.1")
async def a_task_left_by_a_runner_that_has_gone_is_run_by_the_next(harness: RunnerHarness) -> None:
    async with harness.running({"work": Attempts()}) as first:
        handle = await first.schedule("work", 1, delay=0.3)
    attempts = Attempts()
    async with harness.running({"work": attempts}) as second:
        await harness.until_status(second, handle, "succeeded")
    same(attempts.begun, [1])


@check("11.1")
async def a_runner_that_was_drained_can_be_resumed(harness: RunnerHarness) -> None:
    attempts = Attempts()
    runner = harness.make()
    runner.register("work", attempts)
    for number in (1, 2):
        await runner.resume()
        try:
            handle = await runner.schedule("work", number)
            await harness.until_status(runner, handle, "succeeded")
        finally:
            await runner.drain(1)
    same(attempts.ended, [1, 2])


@check("18.1")
async def a_task_goes_on_in_the_trace_it_was_scheduled_in(harness: RunnerHarness) -> None:
    seen: list[int] = []

    async def work(payload: Any, context: TaskContext) -> None:
        seen.append(trace.get_current_span().get_span_context().trace_id)

    span = trace.NonRecordingSpan(
        trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(1))
    )
    async with harness.running({"work": work}) as runner:
        token = otel_context.attach(trace.set_span_in_context(span))
        try:
            first = await runner.schedule("work", 1, key="k")
        finally:
            otel_context.detach(token)
        second = await runner.schedule("work", 2, key="k")
        await harness.until_status(runner, first, "succeeded")
        await harness.until_status(runner, second, "succeeded")
    assert seen == [0xABC, 0], "the trace was lost, or it leaked into another task"


def _refused(error: type[Exception], call: Any, what: str) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f"{what} was taken")
