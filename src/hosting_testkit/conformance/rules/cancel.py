"""HC-CANCEL: what a client that left leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import product
from typing import Literal

from ...drivers.turn import Turn
from ...targets.agent import Run, Updates
from ...targets.counting import Counting
from ...targets.gate import Gate
from ...targets.leak import Leak, WatchedStream
from ...transports.asgi import BridgeOptions
from ..abandoned import no_garbage_collection
from ..census import application_tasks
from ..hand_reader import HandReader, loop_turns_until, read_by_hand
from ..hosted import SETTLE, HostedChannel
from ..kit import Kit
from ..many import MANY, times
from ..registry import rule

Style = Literal["2.3", "2.4"]

_STYLES: tuple[Style, ...] = ("2.3", "2.4")
_POINTS = (0, 1, 3)


class _NeverDone(Counting):
    """Counts, and then, told so, stays silent or goes on for ever; or it takes a while first."""

    async def answer(self, run: Run) -> Updates:
        if "pause" in run.text:
            await asyncio.sleep(1)
        async for update in super().answer(run):
            yield update
        while "flood" in run.text:
            await asyncio.sleep(0.01)
            yield run.update("more ")
        if "hang" in run.text:
            await asyncio.Event().wait()


@rule(
    "HC-CANCEL-002",
    needs=["streaming"],
    unless=["edits"],
    why="servers before ASGI 2.4 say it in a message alone; a run that nobody reads goes on costing",
)
async def a_disconnect_message_ends_the_run(k: Kit) -> None:
    """A silent target and a busy one are both closed as cancelled, before any time goes by."""
    for ending in ("hang", "flood"):
        leak = Leak(_NeverDone())
        async with k.host(leak) as h:
            with no_garbage_collection():
                await _left_in_the_middle(k, h, leak, "2.3", ending)


@rule(
    "HC-CANCEL-003",
    needs=["streaming"],
    unless=["edits"],
    why="servers from ASGI 2.4 on raise it from send; it is neither to be ignored nor an error of the channel",
)
async def a_disconnect_from_send_ends_the_run(k: Kit) -> None:
    """A busy target is closed as cancelled; the channel returns, without an exception and without a trace."""
    leak = Leak(_NeverDone())
    async with k.host(leak) as h:
        with no_garbage_collection():
            reader = await _left_in_the_middle(k, h, leak, "2.4", "flood")
        left = reader.app_error
        k.check("what left the application", left is None, expected="nothing", observed=repr(left))
        traces = [text.splitlines()[0] for text in k.logs if "Traceback" in text]
        k.equal("failures in the log", traces, [])


async def _left_in_the_middle(k: Kit, h: HostedChannel, leak: Leak, style: Style, ending: str) -> HandReader:
    """Leaves after the first output; the stream has to be closed before any time goes by."""
    turn = Turn(text=f"{ending} {k.nonce()}", conversation="c", stream=True)
    bridge = BridgeOptions(asgi=style, raise_app_errors=False, grace=30.0)
    async with read_by_hand(h, h.inbound(turn), bridge) as reader:
        first = await reader.read()
        k.control(bool(first) and bool(leak.streams), f"{ending} target: a stream begins", observed=first)
        stream = leak.streams[-1]
        await asyncio.sleep(0.1)
        k.control(stream.end == "open", f"{ending} target: its stream is still open", observed=stream.end)
        reader.leave()
        await loop_turns_until(lambda: _closed(stream))
        how = (stream.end, type(stream.reason).__name__, stream.fault())
        name = f"{ending} target: its stream when the client has left, ASGI {style}"
        k.equal(name, how, ("closed", "CancelledError", None))
    return reader


def _closed(stream: WatchedStream) -> bool:
    return stream.end != "open" and not stream.running


@rule(
    "HC-CANCEL-004",
    needs=["streaming"],
    unless=["edits"],
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
                turn = Turn(text=f"{ending} {k.nonce()}", conversation=conversation, stream=True)
                await _leave(h, leak, style, point, turn)
                where = f"{ending} target, client gone after {point} chunks, ASGI {style}"
                stream = leak.streams[-1]
                k.equal(f"{where}: the target's stream", (stream.end, stream.fault()), ("closed", None))
                after = await h.turn("next", conversation=conversation)
                k.equal(f"{where}: the next turn", after.text, "turn 1")
        await _left_often(k, h, leak)


async def _left_often(k: Kit, h: HostedChannel, leak: Leak) -> None:
    """What a left stream keeps a little of, such as one slot of many, is kept until there is none."""

    async def left(number: int) -> bool:
        leak.streams.clear()
        turn = Turn(text="flood", conversation=f"left{number}", stream=True)
        return bool(await _leave(h, leak, "2.4", 1, turn) and leak.streams)

    k.equal(
        f"streams that begin, of {MANY} in a row whose clients leave in the middle", await times(left), MANY
    )


async def _leave(h: HostedChannel, leak: Leak, style: Style, point: int, turn: Turn) -> bytes | None:
    """Takes so many pieces of a stream that has begun, leaves, and waits until all is at rest; gives the last of them."""
    bridge = BridgeOptions(asgi=style, window=0, raise_app_errors=False)
    begun = len(leak.streams)
    piece: bytes | None = None
    async with read_by_hand(h, h.inbound(turn), bridge) as reader:
        await loop_turns_until(lambda: len(leak.streams) > begun)
        for _ in range(point):
            piece = await reader.read()
        reader.leave()
    await asyncio.sleep(SETTLE)
    return piece


@rule("HC-CANCEL-007", needs=["http"], why="clients lose their connection at any time, also while they send")
async def a_client_that_left_early_does_no_harm(k: Kit) -> None:
    """Gone before the body, in its middle and before the answer: the channel returns and the next turn works."""
    async with k.host(Counting()) as h:
        first = await h.turn(k.nonce(), conversation="c")
        k.control(first.text == "turn 1", "an ordinary turn is answered", observed=first.text)
        for style in _STYLES:
            for name, part in (("before the body", 0.0), ("in the middle of the body", 0.5)):
                where = f"gone {name}, ASGI {style}"
                before = application_tasks()
                took = await _gone_while_sending(h, part, style)
                k.check(f"{where}: the channel returns", took < 1, expected="at once", observed=f"{took:g} s")
                k.equal(
                    f"{where}: tasks left", sorted(t.get_name() for t in application_tasks() - before), []
                )
        k.equal("runs of what was never sent whole", len(h.runs), 1)
        k.equal("failures in the log", [text.splitlines()[0] for text in k.logs if "Traceback" in text], [])
    await _gone_before_the_answer(k)


async def _gone_while_sending(h: HostedChannel, part: float, style: Style) -> float:
    """Sends a part of a turn's body and leaves; gives the seconds that the application took to notice."""
    inbound = h.inbound(Turn(conversation="c"))
    body = inbound.body[: int(len(inbound.body) * part)]
    bridge = BridgeOptions(asgi=style, grace=5.0, raise_app_errors=False)
    sending = asyncio.create_task(h.exchange(inbound, bridge, content=_unfinished(body)), name="sender")
    await asyncio.sleep(0.1)
    loop = asyncio.get_running_loop()
    gone = loop.time()
    sending.cancel()
    await asyncio.wait((sending,))
    if not sending.cancelled() and sending.exception() is None:
        await sending.result().aclose()  # answered early, which is legal
    return loop.time() - gone


async def _unfinished(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body
    await asyncio.Event().wait()


async def _gone_before_the_answer(k: Kit) -> None:
    target = _NeverDone()
    async with k.host(target) as h:
        for style in _STYLES:
            bridge = BridgeOptions(asgi=style, grace=5.0, raise_app_errors=False)
            inbound = h.inbound(Turn(text=f"pause {k.nonce()}", conversation=style))
            async with h.open(inbound, bridge=bridge) as opened:
                await opened.shows(lambda reply: bool(reply.status), within=0.1)
            after = await h.turn(k.nonce(), conversation=style)
            where = f"gone before the answer, ASGI {style}: the next turn"
            k.check(where, "turn " in after.text, expected="an answer", observed=after.text)
        if not k.claim("ack_first").runs:
            await _gone_often(k, h)
    if not k.claim("ack_first").runs and not k.claim("retrieve").runs:
        await _run_ends(k)


async def _run_ends(k: Kit) -> None:
    """Nobody waits for the answer any more: the run is cancelled, whether the request had a key or not (contract 7.3)."""
    target = Gate()
    async with k.host(target) as h:
        for keyed in (False, True) if k.claim("delivery_ids").runs else (False,):
            turn = Turn(text=k.nonce(), delivery_id=k.nonce() if keyed else None)
            async with h.open(h.inbound(turn), bridge=BridgeOptions(grace=5.0, raise_app_errors=False)):
                await target.reached(turn.text)
                await asyncio.sleep(0.5)
            await asyncio.sleep(SETTLE)
            name = f"runs under way of a request{' with a key' * keyed} whose client has left"
            k.equal(name, target.gates.waiting(turn.text), 0)


async def _gone_often(k: Kit, h: HostedChannel) -> None:
    """As `_left_often`, before the answer."""
    bridge = BridgeOptions(raise_app_errors=False)

    async def gone(number: int) -> bool:
        before = len(h.runs)
        inbound = h.inbound(Turn(text="pause", conversation=f"gone{number}"))
        async with h.open(inbound, bridge=bridge) as opened:
            return await opened.shows(lambda reply: len(h.runs) > before)

    k.equal(
        f"turns that begin, of {MANY} in a row whose clients leave before the answer", await times(gone), MANY
    )
