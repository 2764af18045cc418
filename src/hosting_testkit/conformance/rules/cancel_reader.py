"""HC-CANCEL: a client that reads slowly, or not at all."""

from __future__ import annotations

import asyncio

from hosting import HostLimits

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets import steps
from ...targets.leak import Leak
from ...targets.misbehaving import Flood
from ...targets.scripted import Scripted
from ...transports.asgi import BridgeOptions
from ..hand_reader import read_by_hand, read_every
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule

_BUFFER = 4
_WRITE_TIMEOUT = 10.0
_READER_DRIVEN = BridgeOptions(window=1, raise_app_errors=False)
_FRAMES = 3  # one was read, one is in the window, one waits to be sent


@rule(
    "HC-CANCEL-001",
    needs=["streaming"],
    unless=["edits"],
    why="one stalled reader must not fill the server's memory",
)
async def a_stalled_reader_holds_the_target(k: Kit) -> None:
    """What is pulled stays within the buffer and the frames in flight, each of which may hold a buffer of updates."""
    target = Flood(1_000)
    most = _BUFFER * (_FRAMES + 1) + 1  # what waits, and one update that the target holds out
    async with k.host(target, limits=HostLimits(stream_buffer=_BUFFER)) as h:
        inbound = h.inbound(Turn(stream=True))
        async with read_by_hand(h, inbound, _READER_DRIVEN) as reader:
            first = await reader.read()
            k.control(bool(first), "the stream begins", observed=first)
            pulled = await _pulled_after(target, 5.0)
            k.check(
                "updates pulled while nobody reads",
                pulled <= most,
                expected=f"at most {most}",
                observed=pulled,
            )
            await read_every(reader, 0.0, most=50)
            k.control(
                target.pulled > pulled, "the target goes on when its reader does", observed=target.pulled
            )


async def _pulled_after(target: Flood, seconds: float) -> int:
    await asyncio.sleep(seconds)
    return target.pulled


@rule(
    "HC-CANCEL-012",
    needs=["streaming"],
    unless=["edits"],
    why="a dead connection must not hold a run for ever, and a slow one is not dead",
)
async def only_a_reader_that_takes_nothing_is_gone(k: Kit) -> None:
    """Who takes nothing for the write timeout loses the run; who takes a little now and then gets everything."""
    limits = HostLimits(stream_buffer=1, write_timeout=_WRITE_TIMEOUT)
    leak = Leak(Flood(1_000))
    async with (
        k.host(leak, limits=limits) as h,
        read_by_hand(h, h.inbound(Turn(stream=True)), _READER_DRIVEN) as reader,
    ):
        await reader.read()
        held = await _end_after(leak, _WRITE_TIMEOUT / 2)
        k.control(held == "open", "the stream is open while the time runs", observed=held)
        end = await _end_after(leak, _WRITE_TIMEOUT)
        k.equal("the stream of a reader that takes nothing", end, "closed")
    pieces = [f"{number}. " for number in range(30)]
    async with k.host(Scripted(*pieces, steps.Sleep(1), "end"), limits=limits) as h:
        slow = await _read_slowly(h)
        k.equal("what a slow reader gets", slow.text, "".join([*pieces, "end"]))


async def _end_after(leak: Leak, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return leak.streams[-1].end


async def _read_slowly(h: HostedChannel) -> Reply:
    """Takes a piece in time, again and again, and much longer than the timeout in all."""
    async with read_by_hand(h, h.inbound(Turn(stream=True)), _READER_DRIVEN) as reader:
        await read_every(reader, _WRITE_TIMEOUT * 0.6)
        return Reply(reader.wire, await h.decode(reader.wire))
