"""HC-DUR: what becomes of an answer of which people saw a part when its process died."""

from __future__ import annotations

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets.agent import Run, Updates
from ...targets.counting import Counting
from ...targets.gate import Gates
from ...targets.scripted import Scripted
from ...targets.steps import Stop
from ..kit import Kit
from ..model import Failed
from ..registry import rule
from ..replicas import replicas

_LONG = 60.0
_POINT = "middle"


class _CountingAtAGate(Counting):
    """Counts its turns in the session, and then stops before it says a word."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates()

    async def answer(self, run: Run) -> Updates:
        updates = [update async for update in super().answer(run)]
        await self.gates.stop(_POINT)
        for update in updates:
            yield update


@rule(
    "HC-DUR-007",
    any_of=["ack_first", "delivery_ids"],
    why="an answer that begins anew under the eyes of a person says two things, and does everything twice",
)
async def what_was_seen_is_not_run_again(k: Kit) -> None:
    """A message that has begun ends where it began; an answer nobody saw comes whole; a key tells that it was cut off."""
    if k.claim("ack_first").runs:
        if k.claim("edits").runs:
            await _seen(k)
        await _unseen(k)
    elif k.claim("delivery_ids").runs:
        await _cut_off(k)


async def _seen(k: Kit) -> None:
    target = Scripted(first := k.nonce(), Stop(_POINT), last := k.nonce())
    async with replicas(k, target) as (h,), h.open(h.inbound(Turn(text=k.nonce()))) as opened:
        shown = await opened.shows(lambda reply: first in reply.text)
        k.control(shown, "a part of the answer is seen", observed=(await opened.reply()).texts)
        await h.rest()
        await h.host.kill()
        await h.host.start()
        target.gates.release(_POINT)
        await h.rest(_LONG)
        k.equal("runs of an answer that was seen in part", len(h.runs), 1)
        texts = (await opened.reply()).texts
        k.equal("messages of an answer that was seen in part", len(texts), 1)
        ended = len(texts) > 0 and texts[0] not in ("", first) and last not in texts[0]
        k.check("the message that it began", ended, expected="how it ended", observed=texts)


async def _unseen(k: Kit) -> None:
    target = _CountingAtAGate()
    async with replicas(k, target) as (h,), h.open(h.inbound(Turn(text=k.nonce()))) as opened:
        await _reached(target.gates)
        await h.rest()
        await h.host.kill()
        await h.host.start()
        target.gates.release(_POINT)
        await h.rest(_LONG)
        texts = (await opened.reply()).texts
        k.equal("what is seen of an answer that nobody saw at first", texts, ["turn 1"])


async def _cut_off(k: Kit) -> None:
    for stream in (False, True) if k.claim("streaming").runs else (False,):
        target = Scripted(first := k.nonce(), Stop(_POINT), k.nonce())
        turn = Turn(text=k.nonce(), delivery_id=k.nonce(), stream=stream)
        async with replicas(k, target) as (h,):
            async with h.open(h.inbound(turn)) as opened:
                await _reached(target.gates)
                if stream:
                    k.control(await opened.shows(lambda reply: first in reply.text), "the stream begins")
                await h.host.kill()
                await h.host.start()
            target.gates.release(_POINT)
            wire = await h.wire(h.inbound(turn))
            again = Reply(wire, await h.decode(wire))
            how = "of a stream" if stream else "of an answer"
            k.equal(f"runs {how} whose process was killed", len(h.runs), 1)
            codes = [error.code for error in again.errors]
            told = "interrupted" in codes or any(end.status == "failed" for end in again.terminals)
            k.check(
                f"the end {how} whose process was killed", told, expected="interrupted", observed=again.outs
            )


async def _reached(gates: Gates) -> None:
    try:
        await gates.reached(_POINT)
    except AssertionError as error:
        raise Failed(f"the turn does not reach the target: {error}") from error
