"""`Leak` tells a stream that was ended well from each way of ending it badly (contract 7.0, 7.3)."""

from __future__ import annotations

import asyncio
import gc

import pytest

from hosting_testkit.targets import Failing, Hang, Leak


async def test_streams_read_to_their_end_and_runs_without_one_are_well() -> None:
    leak = Leak()
    assert [update.text async for update in leak.run("abc", stream=True)] == ["a", "b", "c"]
    assert (await leak.run("abc")).text == "abc"
    final = await leak.run("abc", stream=True).get_final_response()
    assert final.text == "abc"
    assert [(s.end, s.pulled, s.reason) for s in leak.streams] == [("exhausted", 3, None)] * 2
    leak.assert_all_closed()


async def test_closing_with_a_reason_is_well_and_the_reason_is_known() -> None:
    leak = Leak()
    opened = leak.run("abc", stream=True)
    await anext(opened)
    await opened.close(gone := ConnectionError("gone"))
    (stream,) = leak.streams
    assert (stream.end, stream.reason, stream.pulled, stream.running) == ("closed", gone, 1, False)
    leak.assert_all_closed()


async def test_a_stream_closed_before_its_first_pull_is_well() -> None:
    leak = Leak()
    await leak.run("abc", stream=True).close(ConnectionError())
    assert leak.streams[0].pulled == 0
    leak.assert_all_closed()


async def test_a_consumer_that_breaks_out_leaves_the_stream_open_whatever_is_collected() -> None:
    leak = Leak()

    async def consume() -> None:
        async for _ in leak.run("abc", stream=True):
            break

    await consume()
    gc.collect()
    await asyncio.sleep(0)
    with pytest.raises(AssertionError, match="stream 1: not closed after 1 updates"):
        leak.assert_all_closed()
    await leak.streams[0].close(ConnectionError())


async def test_a_stream_that_was_opened_and_forgotten_is_a_leak() -> None:
    leak = Leak()
    leak.run("abc", stream=True)
    with pytest.raises(AssertionError, match="not closed after 0 updates"):
        leak.assert_all_closed()


@pytest.mark.parametrize("how", ["close", "async with"])
async def test_closing_without_a_reason_is_closed_bare(how: str) -> None:
    leak = Leak()
    opened = leak.run("abc", stream=True)
    if how == "close":
        await anext(opened)
        await opened.close()
    else:
        async with opened:
            await anext(opened)
    with pytest.raises(
        AssertionError, match=r"closed bare after 1 updates.*expected `await stream.close\(exc\)`"
    ):
        leak.assert_all_closed()


async def test_a_final_response_after_the_close_is_told() -> None:
    leak = Leak()
    opened = leak.run("abc", stream=True)
    await anext(opened)
    await opened.close(ConnectionError())
    await opened.get_final_response()
    with pytest.raises(AssertionError, match="finalised by `get_final_response"):
        leak.assert_all_closed()


async def test_a_final_response_after_the_end_is_well() -> None:
    leak = Leak()
    opened = leak.run("abc", stream=True)
    async for _ in opened:
        pass
    await opened.close()
    assert (await opened.get_final_response()).text == "abc"
    leak.assert_all_closed()


async def test_a_cancel_inside_a_pull_closes_with_the_cancellation() -> None:
    hang = Hang("a")
    leak = Leak(hang)
    opened = leak.run("x", stream=True)
    await anext(opened)
    pull = asyncio.ensure_future(anext(opened))
    await asyncio.sleep(0)
    pull.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pull
    assert isinstance(leak.streams[0].reason, asyncio.CancelledError)
    assert hang.hanging == 0
    leak.assert_all_closed()


async def test_a_target_that_fails_by_itself_is_no_leak() -> None:
    leak = Leak(Failing(OSError("disk"), after=1))
    with pytest.raises(OSError, match="disk"):
        async for _ in leak.run("x", stream=True):
            pass
    assert (leak.streams[0].end, str(leak.streams[0].reason)) == ("failed", "disk")
    leak.assert_all_closed()


async def test_all_faults_are_named_at_once() -> None:
    leak = Leak()
    for _ in range(2):
        leak.run("abc", stream=True)
    await leak.run("abc", stream=True).get_final_response()
    with pytest.raises(AssertionError, match=r"2 of 3 streams(.|\n)*stream 1: (.|\n)*stream 2: "):
        leak.assert_all_closed()
