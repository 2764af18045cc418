"""The end of an accepted event is stored whatever happens to the store meanwhile (contract 4.3, 4.8, 14.4)."""

from __future__ import annotations

import asyncio
from typing import Any

from hosting import (
    ChannelCommandContext,
    ChannelContext,
    ChannelContribution,
    ChannelIdentity,
    ChannelRequest,
    Destination,
    HostedRunResult,
    HostingError,
    InboundEvent,
    PushContext,
    PushReceipt,
)
from hosting.commands import ChannelCommand
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.conformance.failing_store import FailingStore
from hosting_testkit.targets import Echo, Gate


class Chat:
    """A chat channel without a wire: events are given to it, and it keeps what it sends."""

    name = "chat"
    path = "/chat"
    context: ChannelContext

    def __init__(self, *, stream: bool = False) -> None:
        self.sent: list[str] = []
        self.streamed: list[str] = []
        self.stream = stream

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.context = context
        return ChannelContribution(
            commands=[ChannelCommand(name="greet", description="Greets", handle=greet)]
        )

    async def says(self, text: str) -> None:
        event = InboundEvent(delivery_id=text, payload=text, conversation_id="c", native_id="ann")
        await self.context.accept(event)

    async def process(self, event: InboundEvent, /) -> None:
        request = ChannelRequest(
            channel=self.name,
            input=event.payload,
            identity=ChannelIdentity(self.name, "ann"),
            conversation_id="c",
            delivery_id=event.delivery_id,
        )
        try:
            if self.stream:
                self.streamed += [u.text async for u in await self.context.run_stream(request)]
            else:
                await self.context.run(request)
        except HostingError:
            return

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        self.sent.append(payload.text)
        return PushReceipt(status="sent")


async def greet(context: ChannelCommandContext) -> None:
    await context.reply("hello")


@virtual_time
async def test_a_turn_whose_end_could_not_be_stored_apologises_and_its_lane_goes_on() -> None:
    store, gate, channel = FailingStore(), Gate(), Chat()
    async with InMemoryHost(gate, [channel], state=store):
        await channel.says("lost")
        await gate.reached("lost")
        store.reachable = False
        gate.gates.release_all()
        await asyncio.sleep(3)
        assert channel.sent == []
        store.reachable = True
        gate.gates.release("next")
        await channel.says("next")
        await asyncio.sleep(3)
    assert channel.sent == ["The state store cannot be reached.", "next"]


@virtual_time
async def test_a_shutdown_does_not_wait_for_a_store_that_is_away() -> None:
    store, gate, channel = FailingStore(), Gate(), Chat()
    async with InMemoryHost(gate, [channel], state=store):
        await channel.says("lost")
        await gate.reached("lost")
        store.reachable = False
        gate.gates.release_all()
        await asyncio.sleep(3)


@virtual_time
async def test_the_reply_of_a_command_to_an_event_is_not_streamed_as_well() -> None:
    channel = Chat(stream=True)
    async with InMemoryHost(Echo(), [channel]):
        await channel.says("/greet")
        await asyncio.sleep(1)
    assert (channel.sent, channel.streamed) == (["hello"], [])
