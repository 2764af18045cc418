"""Turns answered in one piece stop when their client leaves (contract 7.3, 7.5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hosting.web import ClientGone, cancel_on_disconnect
from hosting_testkit.clock import virtual_time
from tests.web.asgi import Exchange


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def cancel_requests() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


@virtual_time
async def test_a_block_that_ends_within_the_grace_reads_nothing_and_starts_nothing() -> None:
    exchange = Exchange()

    async with cancel_on_disconnect(exchange.receive):
        await asyncio.sleep(0.04)
        assert not others()

    await asyncio.sleep(1)
    assert exchange.pieces_read == 0


@virtual_time
async def test_a_long_block_is_left_in_peace_while_the_client_stays() -> None:
    exchange = Exchange()

    async with cancel_on_disconnect(exchange.receive):
        await asyncio.sleep(60)

    assert not others()


@pytest.mark.parametrize("leaves_at", [0.01, 5.0])
@virtual_time
async def test_a_client_that_leaves_cancels_the_block(leaves_at: float) -> None:
    exchange = Exchange()
    loop = asyncio.get_running_loop()
    loop.call_later(leaves_at, exchange.leave)
    endings: list[str] = []

    async def turn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            endings.append("cancelled")
            raise

    with pytest.raises(ClientGone):
        async with cancel_on_disconnect(exchange.receive):
            await turn()

    assert endings == ["cancelled"]
    assert loop.time() == pytest.approx(max(leaves_at, 0.05))
    assert cancel_requests() == 0
    assert not others()


@virtual_time
async def test_a_cancellation_from_outside_passes_through() -> None:
    exchange = Exchange()

    async def turn() -> None:
        async with cancel_on_disconnect(exchange.receive):
            await asyncio.sleep(60)

    task = asyncio.create_task(turn())
    await asyncio.sleep(1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert not others()


@virtual_time
async def test_a_cancellation_from_outside_wins_over_the_client_that_leaves_with_it() -> None:
    exchange = Exchange()

    async def turn() -> None:
        async with cancel_on_disconnect(exchange.receive):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(1)

    task = asyncio.create_task(turn())
    await asyncio.sleep(1)
    exchange.leave()
    await asyncio.sleep(0.5)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert not others()


@virtual_time
async def test_it_works_inside_a_timeout_and_around_one() -> None:
    exchange = Exchange()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1), cancel_on_disconnect(exchange.receive):
            await asyncio.sleep(60)
    with pytest.raises(TimeoutError):
        async with cancel_on_disconnect(exchange.receive), asyncio.timeout(1):
            await asyncio.sleep(60)

    assert cancel_requests() == 0
    assert not others()


@virtual_time
async def test_an_error_of_the_block_is_raised_as_it_is() -> None:
    exchange = Exchange()

    async def turn() -> None:
        await asyncio.sleep(1)
        raise ValueError("own")

    with pytest.raises(ValueError, match="own"):
        async with cancel_on_disconnect(exchange.receive):
            await turn()

    assert not others()


@virtual_time
async def test_a_block_that_finishes_in_spite_of_the_cancellation_has_its_result() -> None:
    exchange = Exchange()
    exchange.leave()
    result = ""

    async with cancel_on_disconnect(exchange.receive):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            result = "finished"

    assert result == "finished"
    assert cancel_requests() == 0


@virtual_time
async def test_a_receive_that_breaks_off_means_that_the_client_left() -> None:
    async def receive() -> Any:
        raise ConnectionResetError

    with pytest.raises(ClientGone):
        async with cancel_on_disconnect(receive):
            await asyncio.sleep(60)
