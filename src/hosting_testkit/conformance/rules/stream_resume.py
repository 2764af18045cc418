"""HC-STREAM: streams that are read on where they broke off."""

from __future__ import annotations

from collections.abc import Sequence

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets import steps
from ...targets.scripted import Scripted
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..later import LaterRun, begins, token_of
from ..registry import rule


@rule(
    "HC-STREAM-017",
    needs=["streaming", "resume"],
    why="a client on a train must neither read a sentence twice nor miss one",
)
async def a_stream_is_read_on(k: Kit) -> None:
    """Behind the last number that was read comes what is missing, at once; then the rest, as it is said."""
    said = [k.nonce() for _ in range(4)]
    pause = steps.Sleep(0.5)
    script: list[steps.Step] = [
        said[0],
        pause,
        said[1],
        steps.Stop("one"),
        said[2],
        steps.Stop("two"),
        said[3],
    ]
    target = Scripted(*script)
    async with k.host(target, options={"on_disconnect": "continue"}) as h:
        turn = Turn(stream=True, background=k.claim("background").runs)
        async with h.open(h.inbound(turn)) as opened:
            k.control(await opened.shows(lambda reply: said[0] in reply.text), "the stream begins")
            broken = await opened.reply()
        run = LaterRun(h, turn, token_of(h, broken))
        k.control(await begins(target.gates, "one"), "the run goes on")
        await h.settled()
        async with run.reading(_numbers(h, broken)[-1]) as reader:
            missed = await reader.shows(lambda reply: said[1] in broken.text + reply.text)
            k.check(
                "what was missed comes at once",
                missed,
                expected=said[1],
                observed=(await reader.reply()).text,
            )
            target.gates.release("one")
            live = await reader.shows(lambda reply: said[2] in reply.text)
            k.check(
                "what is said now comes at once", live, expected=said[2], observed=(await reader.reply()).text
            )
            target.gates.release("two")
            await reader.finished()
            rest = await reader.reply()
        whole = await run.events()
        _look_at_the_parts(k, h, [broken, rest], whole)


def _look_at_the_parts(k: Kit, h: HostedChannel, parts: Sequence[Reply], whole: Reply) -> None:
    numbers = [number for part in parts for number in _numbers(h, part)]
    k.equal("numbers of the two parts, beside those of the whole", numbers, _numbers(h, whole))
    outs = [out for part in parts for out in part.outs]
    k.equal("what the two parts say, beside the whole", outs, list(whole.outs))


def _numbers(h: HostedChannel, reply: Reply) -> list[int]:
    return list(ask_driver(lambda: h.driver.sequence(reply.wire), "sequence(wire)"))
