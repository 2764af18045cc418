"""How the kit speaks to a channel by what a driver gives: HTTP, a WebSocket, or the platform (conformance-kit 4.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hosting_testkit import virtual_time
from hosting_testkit.conformance import Kit
from hosting_testkit.conformance.hosted import HostedChannel
from hosting_testkit.conformance.model import Unproven
from hosting_testkit.conformance.reference import (
    BotDriver,
    EditBotDriver,
    PollingBotDriver,
    RpcDriver,
    SocketRpcDriver,
)
from hosting_testkit.drivers import (
    Attachment,
    ChannelDriver,
    File,
    Removed,
    Reply,
    Terminal,
    Text,
    Turn,
    Wire,
)
from hosting_testkit.targets import Echo, Gate, Leak, Scripted, steps

Use = Callable[[Kit, HostedChannel], Awaitable[None]]


async def on(driver: type[ChannelDriver], target: Any, use: Use, **options: Any) -> Kit:
    kit = Kit(driver, driver.capabilities.variants[0])
    async with kit.host(target, **options) as hosted:
        await use(kit, hosted)
    await kit.aclose()
    return kit


@virtual_time
async def test_a_websocket_turn_is_read_until_the_driver_sees_its_end() -> None:
    async def use(kit: Kit, h: HostedChannel) -> None:
        reply = await h.turn(said := kit.nonce(), stream=True)
        assert reply.text == said
        assert reply.status == 200
        assert reply.wire.complete
        assert [data["event"] for data in reply.wire.messages][-1] == "done"
        assert kit.log.count("wire.closed") == 0

    await on(SocketRpcDriver, Echo(), use)


@virtual_time
async def test_a_refused_handshake_has_the_status_of_its_answer() -> None:
    async def use(kit: Kit, h: HostedChannel) -> None:
        wire = await h.wire(h.inbound(Turn(credential="missing")))
        assert (wire.status, wire.frames, wire.complete) == (401, (), True)
        assert h.runs == []

    await on(SocketRpcDriver, Echo(), use)


@virtual_time
async def test_an_error_message_over_a_websocket_gives_its_status() -> None:
    async def use(kit: Kit, h: HostedChannel) -> None:
        wire = await h.wire(replace(h.inbound(Turn()), body=b"[]"))
        assert wire.status == 400

    await on(SocketRpcDriver, Echo(), use)


@virtual_time
async def test_leaving_the_block_closes_the_websocket() -> None:
    gate = Gate()
    leak = Leak(gate)

    async def use(kit: Kit, h: HostedChannel) -> None:
        async with h.open(h.inbound(Turn(text="wait", stream=True))):
            await gate.reached("wait")
        await asyncio.sleep(1)
        assert leak.streams[0].end == "closed"

    await on(SocketRpcDriver, leak, use)


@virtual_time
async def test_an_event_to_the_platform_is_fetched_and_its_polls_are_no_calls() -> None:
    async def use(kit: Kit, h: HostedChannel) -> None:
        inbound = h.inbound(Turn(text=(said := kit.nonce())))
        assert inbound.to == "platform"
        wire = await h.wire(inbound)
        assert wire.status == 202
        assert [out.text for out in await h.decode(wire) if isinstance(out, Text)] == [said]
        assert [call.path for call in wire.calls] == ["/bot/sendMessage"]
        assert kit.log.count("platform.in") == 1

    await on(PollingBotDriver, Echo(), use)


class NoPlatform(RpcDriver):
    """Sends its turns to a platform that it does not have."""

    def inbound(self, turn: Turn) -> Any:
        return replace(super().inbound(turn), to="platform")


@virtual_time
async def test_an_event_to_a_platform_that_is_not_there_proves_nothing() -> None:
    async def use(kit: Kit, h: HostedChannel) -> None:
        with pytest.raises(Unproven, match="has no platform"):
            await h.turn("hello")

    await on(NoPlatform, Echo(), use)


@virtual_time
async def test_the_kit_waits_for_a_channel_that_still_edits() -> None:
    script = Scripted(*(item for n in range(6) for item in (f"{n} ", steps.Sleep(1.5))), "end")

    async def use(kit: Kit, h: HostedChannel) -> None:
        reply = await h.turn(stream=True)
        assert reply.text == "0 1 2 3 4 5 end"
        assert len(reply.texts) == 1

    await on(EditBotDriver, script, use)


@virtual_time
async def test_files_travel_both_ways_on_every_shape_that_claims_it() -> None:
    for driver in (RpcDriver, BotDriver):

        async def use(kit: Kit, h: HostedChannel) -> None:
            file = Attachment(name="a.png", media_type="image/png", content=steps.PNG)
            reply = await h.turn(kit.nonce(), attachments=[file])
            assert [(out.media_type, out.content) for out in reply.files] == [("image/png", steps.PNG)]
            contents = [content for message in h.runs[-1].messages for content in message.contents]
            assert [content.media_type for content in contents if content.type == "data"] == ["image/png"]

        await on(driver, Scripted("here ", steps.Media()), use)


def test_a_reply_shows_what_people_end_up_with() -> None:
    outs = [
        Text("first", item="1"),
        Text("gone", item="2"),
        Text("second", item="1"),
        Removed("2"),
        File(b"x", "text/plain", "x.txt"),
        Terminal("completed"),
    ]
    reply = Reply(Wire(status=200), outs)
    assert reply.texts == ["second"]
    assert [file.name for file in reply.files] == ["x.txt"]


def test_messages_of_a_websocket_are_decoded() -> None:
    assert Wire(status=200, frames=('{"a": 1}', b"raw", "[]")).messages == [{"a": 1}, []]


@pytest.mark.parametrize(
    ("where", "text", "offset"),
    [("first", "@helper 😀 hi", 0), ("inside", "😀 @helper hi", 3), ("last", "😀 hi @helper", 6)],
)
@virtual_time
async def test_a_mention_stands_where_the_turn_says_counted_in_utf_16_units(
    where: Any, text: str, offset: int
) -> None:
    async def use(kit: Kit, h: HostedChannel) -> None:
        turn = Turn(text="😀 hi", group=True, conversation="room", mention=where)
        message = msgspec.json.decode(h.inbound(turn).body)["message"]
        assert message["text"] == text
        assert [entity["offset"] for entity in message["entities"]] == [offset]

    await on(BotDriver, Echo(), use)
