"""An event that was accepted is processed, whatever becomes of the request that brought it (contract 4.3, 7.5)."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry import trace

from hosting import ChannelContext, ChannelContribution, InboundEvent, RequestError
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.conformance.spans import captured_spans
from hosting_testkit.conformance.suspending_store import SuspendingStore
from hosting_testkit.targets import Echo

LONGEST = 6
"""Steps of the loop after which a claim is surely decided."""

MOST_STEPS = 9
"""Steps of the loop after which an event has surely been processed."""


class Inlet:
    """Notes what it is asked to process."""

    name = "inlet"
    path = "/inlet"
    context: ChannelContext

    def __init__(self) -> None:
        self.processed: list[str] = []
        self.traces: list[trace.SpanContext] = []

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.context = context
        return ChannelContribution()

    async def process(self, event: InboundEvent, /) -> None:
        await self.context.state("names").get(event.delivery_id)
        self.processed.append(event.delivery_id)
        self.traces.append(trace.get_current_span().get_span_context())


@virtual_time
async def test_an_event_whose_request_was_cancelled_is_processed_or_can_be_sent_again() -> None:
    channel = Inlet()
    async with InMemoryHost(Echo(), [channel], state=SuspendingStore()):
        for steps in range(LONGEST):
            event = InboundEvent(delivery_id=f"event {steps}", payload={}, conversation_id="c")
            request = asyncio.create_task(channel.context.accept(event))
            for _ in range(steps):
                await asyncio.sleep(0)
            request.cancel()
            await asyncio.wait([request])
            await asyncio.sleep(1)
            await channel.context.accept(event)  # as a platform does that got no answer
            await asyncio.sleep(1)
            assert channel.processed.count(event.delivery_id) == 1, f"after {steps} steps"


@virtual_time
async def test_an_event_with_half_a_character_is_refused_and_the_next_one_is_processed() -> None:
    channel = Inlet()
    async with InMemoryHost(Echo(), [channel]):
        for half in ({"text": "half \ud83d"}, {"\udc00": "text"}):
            with pytest.raises(RequestError, match="lone surrogate"):
                await channel.context.accept(
                    InboundEvent(delivery_id="half", payload=half, conversation_id="c")
                )
        await channel.context.accept(InboundEvent(delivery_id="whole", payload={}, conversation_id="c"))
        await asyncio.sleep(1)
    assert channel.processed == ["whole"]


@virtual_time
async def test_an_event_is_processed_in_the_trace_of_the_request_that_brought_it() -> None:
    channel = Inlet()
    with captured_spans():
        async with InMemoryHost(Echo(), [channel]):
            with trace.get_tracer("test").start_as_current_span("request") as request:
                await channel.context.accept(InboundEvent(delivery_id="1", payload={}, conversation_id="c"))
            await channel.context.accept(InboundEvent(delivery_id="2", payload={}, conversation_id="c"))
            await asyncio.sleep(1)
    first, second = channel.traces
    asked = request.get_span_context()
    assert (first.trace_id, first.span_id, first.is_remote) == (asked.trace_id, asked.span_id, True)
    assert not second.is_valid


@virtual_time
async def test_an_event_whose_processing_was_cancelled_is_processed_again_and_its_lane_goes_on() -> None:
    channel = Inlet()
    async with InMemoryHost(Echo(), [channel], state=SuspendingStore()):
        for steps in range(1, MOST_STEPS):
            channel.processed.clear()
            first, second = f"first {steps}", f"second {steps}"
            await channel.context.accept(InboundEvent(delivery_id=first, payload={}, conversation_id="c"))
            work = await task_named("hosting.inbox.inlet")
            for _ in range(steps):
                await asyncio.sleep(0)
            work.cancel()
            await channel.context.accept(InboundEvent(delivery_id=second, payload={}, conversation_id="c"))
            await asyncio.sleep(1)
            assert set(channel.processed) == {first, second}, f"cancelled after {steps} steps"
            assert channel.processed[-1] == second


async def task_named(name: str) -> asyncio.Task[object]:
    while True:
        for task in asyncio.all_tasks():
            if task.get_name() == name:
                return task
        await asyncio.sleep(0)
