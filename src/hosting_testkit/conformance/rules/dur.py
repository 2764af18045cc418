"""HC-DUR: what a channel keeps when its process ends."""

from __future__ import annotations

from ...targets.counting import Counting
from ..hosted import ask_driver
from ..kit import Kit
from ..registry import rule
from ..replicas import replicas


@rule(
    "HC-DUR-001",
    needs=["sessions"],
    why="a deployment must not make a person start from the beginning",
)
async def a_new_process_goes_on(k: Kit) -> None:
    """The conversation, and an answer that the caller refers to, go on after a stop and after a kill."""
    async with replicas(k, Counting()) as (h,):
        first = await h.turn(said := k.nonce())
        k.control("turn 1" in first.text, "the first turn is answered", observed=first.text)
        named = k.claim("caller_sessions").runs
        parent = ask_driver(lambda: h.driver.reference(first), "reference(reply)") if named else None
        if parent is not None:
            at_once = await h.turn(Counting.RECALL, parent=parent)
            k.check("what an answer leads to", said in at_once.text, expected=said, observed=at_once.texts)
        heard = [said]
        for how in ("a kill", "a stop"):
            await (h.host.shutdown() if how == "a stop" else h.host.kill())
            await h.host.start()
            recalled = await h.turn(Counting.RECALL)
            k.equal(
                f"what the session holds after {how}", recalled.text.strip(), f"heard: {' | '.join(heard)}"
            )
            await h.turn(other := k.nonce())
            heard.append(other)
            if parent is not None:
                after = await h.turn(Counting.RECALL, parent=parent)
                known, texts = said in after.text, after.texts
                k.check(f"what an earlier answer led to after {how}", known, expected=said, observed=texts)
