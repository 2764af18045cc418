"""HC-REQ: from the wire to the envelope."""

from __future__ import annotations

from hosting import ChannelRequest

from ...targets.corpora import NASTY_TEXTS
from ...targets.echo import Echo
from ...targets.scripted import Scripted
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..model import Unproven
from ..registry import rule

_LONG_LINE = "long line " * 300
_PADDED = "  two spaces before, a line end behind \n"
_LENGTHS = (30_000, 220_000)
"""Characters of texts that few people write, and programs do."""


@rule("HC-REQ-001", why="each further run costs money and may act twice")
async def one_turn_one_run(k: Kit) -> None:
    """One message makes one request and one run, streamed or not."""
    requests: list[ChannelRequest] = []

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        requests.append(request)
        return request

    hooks = {"run_hook": run_hook} if k.claim("hooks").runs else {}
    async with k.host(Echo(), options=hooks) as h:
        for stream in (False, True) if k.claim("streaming").runs else (False,):
            requests.clear()
            before = len(h.runs)
            await h.turn(said := k.nonce(), stream=stream)
            how = "a streamed turn" if stream else "a turn"
            k.equal(f"target runs of {how}", [run.text for run in h.runs[before:]], [said])
            if hooks:
                k.equal(f"requests of {how}", len(requests), 1)


@rule("HC-REQ-002", why="names, code and other scripts must reach the model as they were written")
async def text_arrives_verbatim(k: Kit) -> None:
    """Every hard text of the corpus reaches the target unchanged."""
    texts = [text for text in (*NASTY_TEXTS, _LONG_LINE, _PADDED) if text.strip()]
    async with k.host(Scripted("ok")) as h:
        for text in texts:
            before = len(h.runs)
            await h.turn(text)
            k.equal(f"the text {text[:24]!a}", [run.text for run in h.runs[before:]], [text])
        if not k.claim("input_limit").runs:
            for length in _LENGTHS:
                await _whole_or_refused(k, h, length)


async def _whole_or_refused(k: Kit, h: HostedChannel, length: int) -> None:
    """A text that is longer than any so far is not cut: all of it arrives, or the sender learns that it may not be."""
    text, before = "".join(f"{number:>7}" for number in range(length // 7)), len(h.runs)
    reply = await h.turn(text)
    told = [len(run.text) for run in h.runs[before:]]
    refused = not told and (400 <= reply.status < 500 or bool(reply.errors or reply.texts))
    whole = [run.text for run in h.runs[before:]] == [text]
    name = f"a text of {length} characters arrives whole, or is refused"
    k.check(name, whole or refused, expected=[len(text)], observed=told or reply.status)


@rule(
    "HC-REQ-008",
    needs=["events"],
    why="a bot that answers an edit or a receipt annoys people and costs money",
)
async def other_events_are_no_turns(k: Kit) -> None:
    """Events that are no turns, known or not, are acknowledged and left alone."""
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text)
        events = ask_driver(h.driver.non_turns, "non_turns()")
        if not events:
            raise Unproven("the driver declares events and gives no non_turns()")
        for name, inbound in events.items():
            before = len(h.runs)
            wire = await h.wire(inbound)
            k.check(f"{name} is acknowledged", wire.status < 300, expected="2xx", observed=wire.status)
            k.equal(f"runs of {name}", len(h.runs) - before, 0)
            k.equal(f"platform calls of {name}", len(wire.calls), 0)
