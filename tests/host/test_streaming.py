"""Streams, back-pressure, disconnects and cancellation (contract 7)."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, Literal

import pytest

from hosting import ChannelRequest, ChannelSession, HostLimits, RunFailed
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.streams.sse import sse_events
from hosting_testkit.targets import Counting, Echo, Failing, Flood, Hang, Leak, Scripted, steps
from hosting_testkit.transports import BridgeOptions

Style = Literal["2.3", "2.4"]
STYLES = pytest.mark.parametrize("style", ["2.3", "2.4"])


def streamed(host: InMemoryHost, text: str = "hi", session: str | None = None) -> Any:
    return host.stream("POST", "/say", json={"say": text, "session": session, "stream": True})


async def test_the_first_update_leaves_before_the_target_has_finished(say_channel: Any) -> None:
    target = Scripted("first", steps.Stop("middle"), "last")
    async with InMemoryHost(target, [say_channel()]) as host, streamed(host) as answer:
        events = sse_events(answer.aiter_bytes())
        assert '"first"' in (await anext(events)).data
        target.gates.release("middle")
        assert [event.event async for event in events][-1] == "completed"


async def test_updates_that_wait_are_read_at_once(say_channel: Any) -> None:
    async with InMemoryHost(Scripted(*"abcdef"), [say_channel()]) as host:
        stream = await host.host.run_stream(ChannelRequest(channel="say", input="x"))
        batches = [[update.text for update in batch] async for batch in stream.batches()]
    assert [text for batch in batches for text in batch] == list("abcdef")
    assert len(batches) < 6


async def test_a_reader_that_does_not_read_holds_the_target(say_channel: Any) -> None:
    flood = Flood(10_000)
    limits = HostLimits(stream_buffer=8)
    async with (
        InMemoryHost(flood, [say_channel()], limits=limits, bridge=BridgeOptions(window=0)) as host,
        streamed(host) as answer,
    ):
        frames = answer.aiter_raw()
        await anext(frames)
        for _ in range(200):
            await asyncio.sleep(0)
        assert flood.pulled <= 3 * 8


@STYLES
@pytest.mark.parametrize("after", [0, 1, 3])
async def test_a_client_that_leaves_closes_the_target_without_saving(
    say_channel: Any, style: Style, after: int
) -> None:
    leak = Leak(Counting())
    bridge = BridgeOptions(asgi=style, window=0)
    gc.disable()
    try:
        async with InMemoryHost(
            leak, [say_channel()], bridge=bridge, limits=HostLimits(stream_buffer=1)
        ) as host:
            async with streamed(host, "one", "s") as answer:
                frames = answer.aiter_raw()
                for _ in range(min(after, 2)):
                    await anext(frames)
            leak.assert_all_closed()
            follow_up = await host.post("/say", json={"say": "two", "session": "s"})
            assert follow_up.json()["said"] == ["turn 1"]
    finally:
        gc.enable()


@STYLES
async def test_a_client_that_leaves_a_hanging_target_ends_it(say_channel: Any, style: Style) -> None:
    hang = Hang("some words")
    async with InMemoryHost(hang, [say_channel()], bridge=BridgeOptions(asgi=style)) as host:
        async with streamed(host) as answer:
            await anext(answer.aiter_raw())
            assert hang.hanging == 1
        assert (hang.hanging, hang.ended) == (0, 1)


async def test_a_failure_before_the_first_update_has_a_status(say_channel: Any) -> None:
    async with InMemoryHost(Failing(), [say_channel()]) as host, streamed(host) as answer:
        assert answer.status_code == 500
        assert Failing.SECRET not in (await answer.aread()).decode()


async def test_a_failure_in_the_middle_is_raised_to_the_channel_as_a_hosting_error(say_channel: Any) -> None:
    async with InMemoryHost(Failing(after=2), [say_channel()]) as host:
        stream = await host.host.run_stream(ChannelRequest(channel="say", input="x"))
        with pytest.raises(RunFailed) as caught:
            async for _ in stream:
                pass
        assert Failing.SECRET not in str(caught.value)


async def test_the_stream_hook_changes_and_drops_updates_but_not_the_result(say_channel: Any) -> None:
    def hook(update: Any) -> Any:
        return None if update.text == "b" else update

    channel = say_channel()
    channel.stream_update_hook = hook
    async with InMemoryHost(Scripted("a", "b", "c"), [channel]) as host:
        stream = await host.host.run_stream(ChannelRequest(channel="say", input="x"))
        assert [update.text async for update in stream] == ["a", "c"]
        assert (await stream.result()).text == "abc"


async def test_raw_events_are_the_targets_own(say_channel: Any) -> None:
    channel = say_channel()
    channel.stream_update_hook = lambda update: None
    async with InMemoryHost(Scripted("a", "b"), [channel]) as host:
        stream = await host.host.run_stream(ChannelRequest(channel="say", input="x"))
        assert [event.text async for event in stream.raw_events] == ["a", "b"]


async def test_a_response_hook_holds_the_stream_and_its_result_is_the_content(say_channel: Any) -> None:
    async def shout(result: Any) -> Any:
        for content in result.result.messages[0].contents:
            content.text = content.text.upper()
        return result

    async with (
        InMemoryHost(Scripted("a", "b"), [say_channel(response_hook=shout)]) as host,
        streamed(host) as answer,
    ):
        body = (await answer.aread()).decode()
    assert '"delta":"AB"' in body
    assert '"said":["AB"]' in body
    assert '"a"' not in body


async def test_a_stream_held_past_the_limit_fails_the_run(say_channel: Any) -> None:
    channel = say_channel(response_hook=lambda result: result)
    async with InMemoryHost(Flood(100), [channel], limits=HostLimits(max_held_bytes=50)) as host:
        with pytest.raises(RunFailed):
            await host.host.run_stream(ChannelRequest(channel="say", input="x"))


@virtual_time
async def test_a_run_past_its_time_is_504_and_the_next_turn_works() -> None:
    from tests import documents

    channel = documents.run("docs/first-channel.md", "first_channel")["SayChannel"]()
    hang = Hang()
    async with InMemoryHost(hang, [channel], limits=HostLimits(run_timeout=30)) as host:
        for _ in range(2):
            answer = await host.post("/say", json={"say": "x", "session": "s"})
            assert answer.status_code == 504
            assert answer.json()["error"]["code"] == "run_timeout"
        assert hang.hanging == 0


async def test_a_result_can_be_had_without_reading_the_stream(say_channel: Any) -> None:
    async with InMemoryHost(Echo(), [say_channel()]) as host:
        stream = await host.host.run_stream(ChannelRequest(channel="say", input="words"))
        assert (await stream.result()).text == "words"


async def test_cancelling_at_any_point_frees_the_session_and_saves_nothing(say_channel: Any) -> None:
    async with InMemoryHost(Counting(), [say_channel()]) as host:

        async def turn() -> str:
            session = ChannelSession("me", key="s")
            return (await host.host.run(ChannelRequest(channel="say", input="x", session=session))).text

        done = 0
        for steps_before in range(60):
            task = asyncio.create_task(turn())
            for _ in range(steps_before):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
                done += 1
            except asyncio.CancelledError:
                pass
        assert done > 0
        last = int((await turn()).removeprefix("turn "))
        assert done < last <= 60
        assert await turn() == f"turn {last + 1}"


async def test_lone_surrogates_in_an_answer_become_replacement_characters(say_channel: Any) -> None:
    async with (
        InMemoryHost(Scripted("a\ud800b"), [say_channel()]) as host,
        streamed(host, "x", "s") as answer,
    ):
        assert "a\ufffdb" in (await answer.aread()).decode()
