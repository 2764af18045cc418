"""HC-SESS: what a session is after turns that went wrong, or came at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from hosting import ChannelRequest, HostLimits

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets.agent import Run, Updates
from ...targets.counting import Counting
from ...targets.gate import Gates
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule
from ..replies import OpenReply

_RUN_TIMEOUT = 5.0


class _Steered(Counting):
    """Counts; told `fail …` it fails then, told `wait …` it stops at the gate of that name."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates()

    async def answer(self, run: Run) -> Updates:
        async for update in super().answer(run):
            yield update
        if run.text.startswith("fail"):
            raise RuntimeError("the target fails")
        if run.text.startswith("wait"):
            await self.gates.stop(run.text)


@rule("HC-SESS-006", needs=["hooks", "sessions"], why="apps that must not remember say so with session_mode")
async def session_modes_hold(k: Kit) -> None:
    """`disabled` leaves no session, `auto` without a key runs without one, `required` without one is refused."""
    personal = {"conversation_scope": "per_user"} if k.claim("groups").runs else {}
    modes = {"disabled": {"session_mode": "disabled"}, "auto": {"session_mode": "auto", **_UNNAMED}}
    for mode, changes in modes.items():
        async with k.host(Counting(), options={**personal, "run_hook": _changing(changes)}) as h:
            for _ in range(2):
                await h.turn(k.nonce())
            k.equal(f"sessions under {mode!r}", [run.session for run in h.runs], [None, None])
    required = {"session_mode": "required", **_UNNAMED}
    async with k.host(Counting(), options={**personal, "run_hook": _changing(required)}) as h:
        refused = await h.turn(k.nonce())
        k.equal("runs under 'required' without a key", len(h.runs), 0)
        if k.claim("http").runs and not k.claim("messaging").runs:
            told = "told" if refused.errors else "not told"
            k.equal("the refusal under 'required' without a key", (refused.status, told), (409, "told"))


_UNNAMED = {"session": None, "identity": None}


def _changing(changes: Mapping[str, object]) -> object:
    def run_hook(request: ChannelRequest) -> ChannelRequest:
        return request.replace(**changes)

    return run_hook


@rule("HC-SESS-008", needs=["sessions"], why="half a turn in the history makes every later answer wrong")
async def a_failed_turn_leaves_nothing(k: Kit) -> None:
    """The turn after a failed one counts on from the one before it, and has heard nothing of it."""
    async with k.host(_Steered()) as h:
        await h.turn(first := k.nonce())
        await h.turn(failed := f"fail {k.nonce()}")
        k.control([run.text for run in h.runs] == [first, failed], "the failing turn ran", observed=h.runs)
        again = await h.turn(said := k.nonce())
        k.equal("the turn after the failed one", again.text, "turn 2")
        k.equal("what that turn was told", h.runs[-1].text, said)
        recalled = await h.turn(Counting.RECALL)
        k.equal("what the session holds", recalled.text.strip(), f"heard: {first} | {said}")


@rule("HC-SESS-009", needs=["sessions"], why="a person who stops an answer must be able to go on")
async def a_cancelled_turn_leaves_nothing(k: Kit) -> None:
    """The turn after a cancelled one runs, counts on from the one before it, and has heard nothing of it."""
    target = _Steered()
    limits = HostLimits(run_timeout=_RUN_TIMEOUT)
    async with k.host(target, limits=limits) as h:
        await h.turn(first := k.nonce())
        async with h.open(h.inbound(turn := Turn(text="wait here"))) as opened:
            await target.gates.reached("wait here")
            if k.claim("ack_first").runs and k.claim("cancel").runs:
                begun = await opened.reply()
                await h.wire(ask_driver(lambda: h.driver.cancel(turn, begun), "cancel()"))
        await _time_passes(_RUN_TIMEOUT)  # where nothing cancels, the end of the run's time does
        again = await h.turn(said := k.nonce())
        k.equal("the turn after the cancelled one", again.text, "turn 2")
        recalled = await h.turn(Counting.RECALL)
        k.equal("what the session holds", recalled.text.strip(), f"heard: {first} | {said}")


@rule(
    "HC-SESS-010", needs=["sessions"], why="answers in the wrong order, or lost ones, make nonsense of a talk"
)
async def concurrent_turns_follow_the_policy(k: Kit) -> None:
    """Queued in the order in which they asked, one at a time; refused, or interrupting, where the host says so."""
    target = _Steered()
    async with k.host(target, limits=HostLimits()) as h, AsyncExitStack() as stack:
        opened = await _three_at_once(h, stack, target)
        k.equal("runs at once", len(h.runs), 1)
        target.gates.release_all()
        replies = [await _whole(reply) for reply in opened]
        await h.turn(Counting.RECALL, user="bob")  # time for what was claimed to end
        told = [run.text for run in h.runs if run.text.startswith(("wait", "then"))]
        k.equal("runs, in the order in which they were asked for", told, ["wait first", "then a", "then b"])
        if not k.claim("messaging").runs:
            texts = [reply.text for reply in replies]
            k.equal("answers of the queued turns", texts, ["turn 1", "turn 2", "turn 3"])
    if k.claim("messaging").runs:
        return
    target = _Steered()
    async with k.host(target, limits=HostLimits(turn_policy="reject")) as h, AsyncExitStack() as stack:
        first = await _at_the_gate(h, stack, target)
        refused = await h.turn("then a")
        k.equal("the status of a second turn under 'reject'", refused.status, 409)
        target.gates.release_all()
        k.equal("the answer of the first under 'reject'", (await _whole(first)).text, "turn 1")


async def _at_the_gate(h: HostedChannel, stack: AsyncExitStack, target: _Steered) -> OpenReply:
    opened = await stack.enter_async_context(h.open(h.inbound(Turn(text="wait first"))))
    await target.gates.reached("wait first")
    return opened


async def _three_at_once(h: HostedChannel, stack: AsyncExitStack, target: _Steered) -> list[OpenReply]:
    """One turn that stands at its gate, and two behind it, each asked for after the one before was taken."""
    opened = [await _at_the_gate(h, stack, target)]
    for text in ("then a", "then b"):
        opened.append(await stack.enter_async_context(h.open(h.inbound(Turn(text=text)))))
        await opened[-1].shows(lambda reply: bool(reply.wire.status), within=0.5)
    return opened


async def _whole(opened: OpenReply) -> Reply:
    await asyncio.wait_for(opened.finished(), 60)
    return await opened.reply()


async def _time_passes(seconds: float) -> None:
    await asyncio.sleep(seconds)
