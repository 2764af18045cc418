"""HC-CANCEL: what a client that left leaves behind."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import Literal

from ...drivers.turn import Turn
from ...targets.agent import Run, Updates
from ...targets.counting import Counting
from ...targets.leak import Leak
from ...transports.asgi import BridgeOptions
from ..abandoned import no_garbage_collection
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule

_STYLES: tuple[Literal["2.3", "2.4"], ...] = ("2.3", "2.4")
_POINTS = (0, 1, 3)


class _NeverDone(Counting):
    """Counts, and then, told so, stays silent or goes on for ever."""

    async def answer(self, run: Run) -> Updates:
        async for update in super().answer(run):
            yield update
        while "flood" in run.text:
            await asyncio.sleep(0.01)
            yield run.update("more ")
        if "hang" in run.text:
            await asyncio.Event().wait()


@rule(
    "HC-CANCEL-004",
    needs=["streaming"],
    why="a stream left to the garbage collector goes on costing, or saves half a reply",
)
async def abandoned_streams_are_closed(k: Kit) -> None:
    """At every disconnect point the target's stream is closed with a reason, and the turn leaves no trace."""
    leak = Leak(_NeverDone())
    async with k.host(leak) as h:
        with no_garbage_collection():
            for style, point, ending in product(_STYLES, _POINTS, ("flood", "hang")):
                if ending == "hang" and point > 1:
                    continue  # what a silent target said before may have come in one piece
                conversation = f"{style}-{point}-{ending}"
                await _leave(h, style, point, f"{ending} {k.nonce()}", conversation)
                where = f"{ending} target, client gone after {point} chunks, ASGI {style}"
                stream = leak.streams[-1]
                k.equal(f"{where}: the target's stream", (stream.end, stream.fault()), ("closed", None))
                after = await h.turn("next", conversation=conversation)
                k.equal(f"{where}: the next turn", after.text, "turn 1")


async def _leave(
    h: HostedChannel, style: Literal["2.3", "2.4"], point: int, text: str, conversation: str
) -> None:
    bridge = BridgeOptions(asgi=style, drop_after=point, window=0, raise_app_errors=False)
    await h.wire(h.inbound(Turn(text=text, conversation=conversation, stream=True)), bridge=bridge)
