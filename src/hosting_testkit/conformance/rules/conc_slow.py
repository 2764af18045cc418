"""HC-CONC: what people who wait long do to those who do not."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from hosting import HostLimits

from ...drivers.trouble import AnswerLate, Trouble
from ...drivers.turn import Turn
from ...targets.agent import Run, Updates
from ...targets.gate import Gate
from ...targets.scripted import Scripted
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule

_SLOW = 24
"""More than the numbers of turns at once that people set aside: 4, 8, 10, 16, 20."""

_LIMITED = 90.0
_LATE = 8.0


@rule("HC-CONC-003", needs=["messaging"], why="one long answer must not silence the bot for everybody")
async def a_slow_conversation_delays_nobody(k: Kit) -> None:
    """While others' turns stand at their gates, and their messages wait for the platform, one is asked and answered."""
    await _while_turns_are_slow(k, 1)
    await _while_turns_are_slow(k, _SLOW)
    if k.claim("outbound").runs and k.claim("text_limit").runs:
        limited = ask_driver(lambda: k.driver().rate_limited(_LIMITED), "rate_limited()")
        await _while_a_send_waits(k, "waits for its limit", limited)
        await _while_a_send_waits(k, "has no answer yet", AnswerLate(_LATE))


async def _while_turns_are_slow(k: Kit, count: int) -> None:
    target = Gate()
    slow, quick = {f"user{number}": k.nonce() for number in range(count)}, k.nonce()
    target.gates.release(quick)
    async with k.host(target, limits=HostLimits()) as h, AsyncExitStack() as stack:
        waiting = {
            user: await stack.enter_async_context(h.open(h.inbound(Turn(text=text, user=user))))
            for user, text in slow.items()
        }
        await asyncio.sleep(0.3)
        answer = await h.turn(quick, user="bob")
        many = "" if count == 1 else f" with {count} slow turns under way"
        k.equal(f"the answer to another person meanwhile{many}", answer.text, quick)
        standing = sum(target.gates.waiting(text) for text in slow.values())
        k.control(standing == count, f"the slow turns still stand at their gates{many}", observed=standing)
        await _stopped(k, h, target, slow, many)
        target.gates.release_all()
        user, text = list(slow.items())[-1]
        told = await waiting[user].shows(lambda reply: text in reply.text)
        observed = (await waiting[user].reply()).texts
        k.check(f"the slow turn is answered in the end{many}", told, expected=text, observed=observed)


async def _stopped(k: Kit, h: HostedChannel, target: Gate, slow: dict[str, str], many: str) -> None:
    """Who stops a slow turn does not wait for the others (contract 6.8)."""
    if not many or not k.claim("cancel").runs:
        return
    user, text = next(iter(slow.items()))
    turn = Turn(text=text, user=user)
    async with h.open(h.inbound(turn)) as opened:
        begun = await opened.reply()
    await h.wire(ask_driver(lambda: h.driver.cancel(turn, begun), "cancel()"))
    k.equal(f"turns under way of somebody who has stopped the first{many}", target.gates.waiting(text), 0)


class _Long(Scripted):
    """Says what it is told; at length, if that begins with `long`."""

    def __init__(self, limit: int) -> None:
        super().__init__("")
        self.filling = f" {'word ' * (limit // 5 + 1)}"

    async def answer(self, run: Run) -> Updates:
        head, _, tail = run.text.partition(" and then ")
        yield run.update(f"{head}{self.filling}{tail}" if tail else head)


async def _while_a_send_waits(k: Kit, how: str, trouble: Trouble) -> None:
    """The second part of somebody's long answer takes its time."""
    begin, end = k.nonce(), k.nonce()
    async with k.host(_Long(k.claim("text_limit").params["limit"])) as h:
        h.env.troubles.plan(end, [trouble])
        async with h.open(h.inbound(Turn(text=f"{begin} and then {end}", user="ann"))) as opened:
            await opened.shows(lambda reply: begin in reply.text)
            answer = await h.turn(said := k.nonce(), user="bob")
            met = len(h.env.troubles.met[end])
            k.control(met == 1, f"the second part of a long answer {how}", observed=met)
            k.check(
                f"the answer to another person while a message {how}",
                said in answer.text,
                expected=said,
                observed=answer.texts,
            )
            await h.rest(_LIMITED)
            texts = (await opened.reply()).texts
            shown = [sum(part in text for text in texts) for part in (begin, end, said)]
            k.equal(f"how often each message of both is shown once it no longer {how}", shown, [1, 1, 1])
