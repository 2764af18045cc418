"""One span per turn, in the caller's trace, around the target's own (contract 18.1)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agent_framework import Agent
from opentelemetry import trace

from hosting import HostingError, HostLimits
from hosting_testkit import InMemoryHost
from hosting_testkit.targets import Echo, Hang, Scripted, ScriptedChatClient, steps
from tests.host.spans import KeepingTracer
from tests.host.turns import run

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> KeepingTracer:
    kept = KeepingTracer()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: kept)
    monkeypatch.setattr(trace, "get_tracer", kept.get_tracer)
    return kept


@STREAMED
async def test_a_turn_is_one_span_around_the_agents_own(
    say_channel: Any, tracer: KeepingTracer, stream: bool
) -> None:
    agent = Agent(client=ScriptedChatClient("well"), name="helper")
    async with InMemoryHost(agent, [say_channel()]) as host:
        result = await run(host, "x", "s", stream=stream)
    (turn,) = tracer.named("hosting.turn")
    assert turn.ended == 1
    assert turn.attributes["hosting.turn_id"] == result.turn_id
    assert turn.attributes["hosting.channel"] == "say"
    assert turn.attributes["hosting.outcome"] == "completed"
    (invoked,) = tracer.named("invoke_agent")
    assert invoked.parent == turn.get_span_context()
    assert invoked.ended == 1


@STREAMED
async def test_turns_that_run_at_once_have_spans_of_their_own(
    say_channel: Any, tracer: KeepingTracer, stream: bool
) -> None:
    model = ScriptedChatClient([steps.Stop("here"), "well"])
    async with InMemoryHost(Agent(client=model), [say_channel()]) as host, asyncio.TaskGroup() as group:
        for key in "abc":
            group.create_task(run(host, "x", key, stream=stream))
        await model.gates.reached("here", 3)
        model.gates.release_all()
    turns = [span.get_span_context() for span in tracer.named("hosting.turn")]
    assert [span.parent for span in tracer.named("invoke_agent")] == turns
    assert len({context.trace_id for context in turns}) == 3


@STREAMED
@pytest.mark.parametrize(
    ("steps_", "outcome", "failed"),
    [
        (["well"], "completed", False),
        ([steps.Approval("x")], "input_required", False),
        ([steps.Delta("a"), steps.Finish("length")], "incomplete", False),
        ([steps.Delta("a"), steps.Fail(RuntimeError("no"))], "failed", True),
    ],
)
async def test_the_span_says_how_the_turn_ended(
    say_channel: Any, tracer: KeepingTracer, steps_: list[Any], outcome: str, failed: bool, stream: bool
) -> None:
    async with InMemoryHost(Scripted(*steps_), [say_channel()]) as host:
        try:
            await run(host, "x", "s", stream=stream)
        except HostingError:
            assert failed
    (turn,) = tracer.named("hosting.turn")
    assert turn.attributes["hosting.outcome"] == outcome
    assert (turn.status is trace.StatusCode.ERROR) is failed


@STREAMED
async def test_the_span_of_a_cancelled_turn_says_so(
    say_channel: Any, tracer: KeepingTracer, stream: bool
) -> None:
    hang = Hang()
    async with InMemoryHost(hang, [say_channel()]) as host:
        task = asyncio.create_task(run(host, "x", "s", stream=stream))
        while not hang.hanging:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    (turn,) = tracer.named("hosting.turn")
    assert (turn.attributes["hosting.outcome"], turn.ended) == ("cancelled", 1)


@STREAMED
async def test_a_request_continues_its_callers_trace(
    say_channel: Any, tracer: KeepingTracer, stream: bool
) -> None:
    agent = Agent(client=ScriptedChatClient("well"))
    async with InMemoryHost(agent, [say_channel()]) as host:
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        body = {"say": "x", "stream": stream}
        assert (await host.post("/say", json=body, headers=headers)).status_code == 200
        assert (await host.post("/say", json=body)).status_code == 200
    first, second = tracer.named("hosting.turn")
    assert first.parent and first.parent.is_remote
    assert (f"{first.parent.trace_id:032x}", f"{first.parent.span_id:016x}") == (TRACE, PARENT)
    assert second.parent is None
    assert tracer.named("invoke_agent")[0].parent == first.get_span_context()


@STREAMED
async def test_what_the_caller_does_not_sample_is_sampled_nowhere(
    say_channel: Any, tracer: KeepingTracer, stream: bool
) -> None:
    agent = Agent(client=ScriptedChatClient("well"))
    async with InMemoryHost(agent, [say_channel()]) as host:
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
        await host.post("/say", json={"say": "x", "stream": stream}, headers=headers)
    assert tracer.spans == []


async def test_a_trace_that_a_middleware_began_is_kept(say_channel: Any, tracer: KeepingTracer) -> None:
    from starlette.middleware import Middleware

    class Traced:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await self.app(scope, receive, send)
                return
            with tracer.start_as_current_span("server"):
                await self.app(scope, receive, send)

    async with InMemoryHost(Echo(), [say_channel()], middleware=[Middleware(Traced)]) as host:
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        await host.post("/say", json={"say": "x"}, headers=headers)
    (server,), (turn,) = tracer.named("server"), tracer.named("hosting.turn")
    assert turn.parent == server.get_span_context()


async def test_a_malformed_traceparent_is_none(say_channel: Any, tracer: KeepingTracer) -> None:
    async with InMemoryHost(Echo(), [say_channel()]) as host:
        for header in ("", "nonsense", "00-0-0-01", "x" * 10_000):
            answer = await host.post("/say", json={"say": "x"}, headers={"traceparent": header})
            assert answer.status_code == 200
    assert [span.parent for span in tracer.named("hosting.turn")] == [None] * 4


async def test_a_refused_turn_has_a_span_that_failed(say_channel: Any, tracer: KeepingTracer) -> None:
    hang = Hang()
    limits = HostLimits(max_concurrent_runs=1, run_queue=0)
    async with InMemoryHost(hang, [say_channel()], limits=limits) as host:
        task = asyncio.create_task(run(host, "x"))
        while not hang.hanging:
            await asyncio.sleep(0)
        with pytest.raises(HostingError):
            await run(host, "y")
        task.cancel()
        await asyncio.wait([task])
    assert [span.attributes["hosting.outcome"] for span in tracer.named("hosting.turn")] == [
        "cancelled",
        "failed",
    ]
