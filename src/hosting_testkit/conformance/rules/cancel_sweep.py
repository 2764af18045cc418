"""HC-CANCEL: a turn that is cancelled leaves nothing behind, wherever it stood."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from hosting import ChannelRequest, HostedRunResult

from ...drivers.turn import Turn
from ...targets.balanced import Balanced
from ...targets.leak import Leak
from ..abandoned import no_garbage_collection
from ..census import Census
from ..kit import Kit
from ..registry import rule
from ..suspending_store import SuspendingStore
from ..sweep import FAULTS, Fault, Sweep, sampled

_FEWEST_POINTS = 3
_MOST_FIRST = 60
_MOST_SECOND = 8


@rule("HC-CANCEL-005", why="servers cancel requests wherever they stand; a lock that stays taken is for ever")
async def cancelled_at_every_point(k: Kit) -> None:
    """The turn is cancelled at each of its suspension points; nothing of it stays, and the next one works."""
    for stream in _modes(k):
        async with _sweep(k, stream) as (sweep, found):
            for point in sampled(await _points(k, sweep)):
                seen = await sweep.cancel_at(point)
                found += seen.faults
                if not seen.usable:
                    break


@rule("HC-CANCEL-006", why="a server that shuts down cancels again what does not end at once")
async def cancelled_again_during_cleanup(k: Kit) -> None:
    """A second cancellation at each suspension point of the clean-up leaves nothing either."""
    for stream in _modes(k):
        async with _sweep(k, stream) as (sweep, found):
            for point in sampled(await _points(k, sweep), _MOST_FIRST):
                seen = await sweep.cancel_at(point)
                for again in range(1, min(len(seen.cleanup), _MOST_SECOND) + 1):
                    if seen.usable:
                        seen = await sweep.cancel_at(point, again)
                        found += seen.faults
                if not seen.usable:
                    break


@asynccontextmanager
async def _sweep(k: Kit, stream: bool) -> AsyncGenerator[tuple[Sweep, list[Fault]]]:
    """A host to sweep on, and a list for what is found; it is judged when the block ends."""
    balanced = Balanced()
    leak = Leak(balanced)
    hooks = {"run_hook": _slow_run_hook} | ({} if stream else {"response_hook": _slow_response_hook})
    options = hooks if k.claim("hooks").runs else {}
    async with k.host(leak, options=options, state=SuspendingStore()) as h:
        with no_garbage_collection():
            found: list[Fault] = []
            before = Census.take(known=h.env.clients)
            yield Sweep(h, balanced, leak, Turn(conversation="swept", stream=stream)), found
            left = [
                name for name in Census.take(known=h.env.clients).left_over_from(before) if "task" not in name
            ]
        how = "streamed turn" if stream else "turn"
        for kind in FAULTS:
            k.equal(f"{how}: {kind}", [fault.text for fault in found if fault.kind == kind], [])
        k.equal(f"{how}: left after all of them", left, [])


async def _points(k: Kit, sweep: Sweep) -> Sequence[Any]:
    points = await sweep.points()
    k.control(
        len(points) >= _FEWEST_POINTS, "an ordinary turn is answered and can be cancelled", observed=points
    )
    return points


def _modes(k: Kit) -> tuple[bool, ...]:
    return (False, True) if k.claim("streaming").runs else (False,)


async def _slow_run_hook(request: ChannelRequest) -> ChannelRequest:
    await asyncio.sleep(0)
    return request


async def _slow_response_hook(result: HostedRunResult[Any]) -> HostedRunResult[Any]:
    await asyncio.sleep(0)
    return result
