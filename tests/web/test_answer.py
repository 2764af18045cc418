"""Answers on the wire, and what is left behind when the client leaves (contract 7.2, 7.3, 7.4, 7.6)."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.types import Message

from hosting.web import JsonAnswer, StreamingAnswer
from hosting_testkit.clock import virtual_time
from tests.web.asgi import Exchange

LOGGER = logging.getLogger("tests.web")
PING = b": keep-alive\n\n"

both_styles = pytest.mark.parametrize("version", ["2.3", "2.4"])


@pytest.fixture(autouse=True)
def without_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


class Source:
    """Frames that arrive after the given seconds; remembers how it ended."""

    def __init__(self, *script: float | bytes | Exception) -> None:
        self.script = script
        self.ending = "not started"

    async def frames(self) -> AsyncIterator[bytes]:
        self.ending = "open"
        try:
            for step in self.script:
                if isinstance(step, bytes):
                    yield step
                elif isinstance(step, Exception):
                    raise step
                else:
                    await asyncio.sleep(step)
            self.ending = "finished"
        except asyncio.CancelledError:
            self.ending = "cancelled"
            raise
        except GeneratorExit:
            self.ending = "closed"
            raise


def streaming(frames: Source | AsyncIterator[bytes], **options: Any) -> StreamingAnswer:
    options = {"write_timeout": 30.0, "keepalive": 15.0, "logger": LOGGER} | options
    return StreamingAnswer(frames.frames() if isinstance(frames, Source) else frames, **options)


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_a_json_answer_is_two_messages() -> None:
    exchange = await Exchange().run(JsonAnswer(b'{"a":1}', status=201, headers={"X-Request-Id": "1"}))

    assert exchange.status == 201
    assert exchange.headers == {
        "content-type": "application/json",
        "content-length": "7",
        "x-request-id": "1",
    }
    assert exchange.frames == [b'{"a":1}']
    assert exchange.ended


async def test_a_content_type_of_its_own_replaces_the_default() -> None:
    exchange = await Exchange().run(JsonAnswer(b"{}", headers={"Content-Type": "application/problem+json"}))

    assert exchange.headers["content-type"] == "application/problem+json"


async def test_head_gets_the_headers_of_get_and_no_body() -> None:
    exchange = await Exchange("HEAD").run(JsonAnswer(b'{"a":1}'))

    assert exchange.headers["content-length"] == "7"
    assert exchange.body == b""


@both_styles
async def test_a_json_answer_to_a_client_that_left_raises_nothing(version: str) -> None:
    exchange = Exchange(version=version)
    exchange.leave()

    await exchange.run(JsonAnswer(b"{}"))

    assert exchange.sent == []


@both_styles
@virtual_time
async def test_frames_go_out_in_order_and_the_response_ends(version: str) -> None:
    source = Source(b"1", b"2", 1.0, b"3")

    exchange = await Exchange(version=version).run(streaming(source, headers={"X-A": "b"}))

    assert exchange.headers == {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "x-a": "b",
    }
    assert exchange.frames == [b"1", b"2", b"3", b""]
    assert exchange.ended
    assert source.ending == "finished"
    assert not others()


@virtual_time
async def test_an_empty_stream_is_an_empty_response() -> None:
    exchange = await Exchange().run(streaming(Source(), media_type="application/x-ndjson"))

    assert exchange.headers == {"content-type": "application/x-ndjson"}
    assert exchange.ended


@both_styles
@pytest.mark.parametrize("after", [0.0, 0.5, 2.0])
@virtual_time
async def test_a_client_that_leaves_while_the_target_is_silent_closes_the_frames_at_once(
    version: str, after: float
) -> None:
    source = Source(b"1", 1.0, b"2", 3600.0, b"3")
    exchange = Exchange(version=version)
    loop = asyncio.get_running_loop()
    loop.call_later(after, exchange.leave)

    await exchange.run(streaming(source))

    assert loop.time() == pytest.approx(after)
    assert source.ending in ("cancelled", "closed")
    assert not exchange.ended
    assert not others()


@both_styles
@pytest.mark.parametrize("seen", [0, 1, 2, 5])
@virtual_time
async def test_a_client_that_leaves_during_a_frame_closes_the_frames_and_is_no_failure(
    version: str, seen: int, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source(*[b"x"] * 1000)
    exchange = Exchange(version=version)

    async def send(message: Message) -> None:
        if len(exchange.frames) == seen:
            exchange.leave()
        await exchange.send(message)

    await streaming(source)(exchange.scope, exchange.receive, send)

    assert source.ending in ("cancelled", "closed")
    assert len(exchange.frames) == seen
    assert not caplog.records
    assert not others()


@pytest.mark.parametrize(("version", "told_after"), [("2.3", 0.0), ("2.4", 0.0), ("2.4", 5.0)])
@virtual_time
async def test_what_the_frames_clean_up_is_not_cancelled_again(
    version: str, told_after: float, caplog: pytest.LogCaptureFixture
) -> None:
    async def receive() -> Message:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            await asyncio.sleep(told_after)
        return message

    async def frames() -> AsyncIterator[bytes]:
        try:
            for _ in range(100):
                yield b"x"
        finally:
            await asyncio.sleep(60)
            cleaned.append(True)

    cleaned: list[bool] = []
    exchange = Exchange(version=version)

    async def send(message: Message) -> None:
        if len(exchange.frames) == 3:
            exchange.leave()
        await exchange.send(message)

    await streaming(frames())(exchange.scope, receive, send)

    assert cleaned == [True]
    assert not caplog.records
    assert not others()


@virtual_time
async def test_a_target_that_swallows_its_cancellation_is_not_pumped_to_a_client_that_left() -> None:
    async def stubborn() -> AsyncIterator[bytes]:
        for _ in range(1000):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                pulled.append("cancelled")
            pulled.append("frame")
            yield b"x"

    pulled: list[str] = []
    exchange = Exchange(version="2.3")
    asyncio.get_running_loop().call_later(1.5, exchange.leave)

    await exchange.run(streaming(stubborn()))

    assert pulled == ["frame", "cancelled", "frame"]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@both_styles
@virtual_time
async def test_a_cancelled_request_closes_the_frames_and_stays_cancelled(version: str) -> None:
    source = Source(b"1", 3600.0)
    exchange = Exchange(version=version)
    request = asyncio.create_task(exchange.run(streaming(source)))
    await asyncio.sleep(1)

    request.cancel()

    with pytest.raises(asyncio.CancelledError):
        await request
    assert source.ending == "cancelled"
    assert not others()


@virtual_time
async def test_a_cancellation_from_outside_is_not_taken_for_the_client_that_leaves_with_it() -> None:
    exchange = Exchange()
    request = asyncio.create_task(exchange.run(streaming(Source(b"1", 3600.0))))
    await asyncio.sleep(1)

    exchange.leave()
    request.cancel()

    with pytest.raises(asyncio.CancelledError):
        await request


@virtual_time
async def test_silence_is_filled_without_cancelling_the_frame_that_is_waited_for() -> None:
    source = Source(40.0, b"late", 15.5, b"last")

    exchange = await Exchange().run(streaming(source))

    assert exchange.frames == [PING, PING, b"late", PING, b"last", b""]
    assert source.ending == "finished"
    assert not others()


@virtual_time
async def test_a_keep_alive_counts_from_the_last_frame() -> None:
    exchange = await Exchange().run(streaming(Source(b"1", 10.0, b"2", 10.0, b"3", 15.1, b"4")))

    assert exchange.frames == [b"1", b"2", b"3", PING, b"4", b""]


@virtual_time
async def test_without_a_keep_alive_silence_is_left_alone() -> None:
    exchange = await Exchange().run(streaming(Source(b"1", 600.0, b"2"), keepalive=None))

    assert exchange.frames == [b"1", b"2", b""]


@virtual_time
async def test_a_frame_waits_for_the_keep_alive_under_way() -> None:
    exchange = Exchange()
    loop = asyncio.get_running_loop()
    loop.call_later(14.0, exchange.stall)
    loop.call_later(20.0, exchange.stalled.set)

    await exchange.run(streaming(Source(b"1", 16.0, b"2")))

    assert exchange.frames == [b"1", PING, b"2", b""]
    assert loop.time() == pytest.approx(20.0)


@pytest.mark.parametrize("version", ["2.3", "2.4"])
@virtual_time
async def test_a_reader_that_takes_nothing_is_gone_after_the_write_timeout(version: str) -> None:
    source = Source(1.0, b"1", b"2")
    exchange = Exchange(version=version)
    exchange.stall()

    await exchange.run(streaming(source, write_timeout=5.0))

    assert asyncio.get_running_loop().time() == pytest.approx(6.0)
    assert source.ending == "closed"
    assert not others()


@virtual_time
async def test_a_reader_that_does_not_take_keep_alives_is_gone_too() -> None:
    source = Source(b"1", 3600.0)
    exchange = Exchange()
    asyncio.get_running_loop().call_later(1.0, exchange.stall)

    await exchange.run(streaming(source, write_timeout=5.0))

    assert asyncio.get_running_loop().time() == pytest.approx(20.0)
    assert source.ending == "cancelled"
    assert not others()


@virtual_time
async def test_a_slow_reader_that_keeps_reading_is_served_to_the_end() -> None:
    exchange = Exchange()

    async def slow(message: Message) -> None:
        await asyncio.sleep(4.9)
        await exchange.send(message)

    await streaming(Source(*[b"x"] * 20), write_timeout=5.0)(exchange.scope, exchange.receive, slow)

    assert exchange.frames == [b"x"] * 20 + [b""]


@virtual_time
async def test_a_failure_before_the_first_byte_is_raised_and_nothing_is_sent() -> None:
    exchange = Exchange()

    with pytest.raises(ValueError, match="early"):
        await exchange.run(streaming(Source(1.0, ValueError("early"))))

    assert exchange.sent == []
    assert not others()


@virtual_time
async def test_a_failure_after_the_first_byte_is_logged_and_ends_the_response(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange = await Exchange().run(streaming(Source(b"1", ValueError("late"))))

    assert exchange.frames == [b"1", b""]
    assert exchange.ended
    [record] = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "late"


@both_styles
@virtual_time
async def test_an_oserror_of_the_target_is_a_failure_and_not_a_client_that_left(version: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        await Exchange(version=version).run(streaming(Source(ConnectionRefusedError("model"))))


@virtual_time
async def test_a_stream_costs_one_task_however_many_frames_are_ready() -> None:
    made: list[str] = []
    loop = asyncio.get_running_loop()

    def count(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        made.append(coroutine.__qualname__)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(count)
    await Exchange().run(streaming(Source(*[b"x"] * 200)))

    assert len(made) == 1


@virtual_time
async def test_frames_without_aclose_are_pumped_too() -> None:
    class Frames:
        def __init__(self) -> None:
            self.left = [b"1", b"2"]

        def __aiter__(self) -> Frames:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    assert (await Exchange().run(streaming(Frames()))).frames == [b"1", b"2", b""]
