"""HC-ERR-005: JSON that is made to break its readers."""

from __future__ import annotations

from ...drivers.turn import Turn
from ...targets.echo import Echo
from ..hosted import HostedChannel, ask_driver
from ..hostile_json import odd_bodies, refused_bodies
from ..kit import Kit
from ..registry import rule


@rule("HC-ERR-005", needs=["http"], why="one hostile body must not look like a broken server, or become one")
async def hostile_json_does_no_harm(k: Kit) -> None:
    """What no store and no encoder can take is refused as the caller's fault; the rest never gives 5xx."""
    is_api = not k.claim("webhook").runs
    async with k.host(Echo()) as h:
        await _an_ordinary_turn(k, h)
        texts = {"the text": k.nonce(), "an id": k.nonce()}
        whole = h.inbound(Turn(text=texts["the text"], conversation=texts["an id"])).body
        for name, body in refused_bodies(whole, texts).items():
            before = len(h.runs)
            status = await _status(h, body)
            if is_api:
                k.equal(f"status of {name}", status, h.driver.malformed_status)
                k.equal(f"runs of {name}", len(h.runs) - before, 0)
            else:
                k.check(f"status of {name}", status < 500, expected="below 500", observed=status)
        for name, body in odd_bodies(whole).items():
            status = await _status(h, body)
            k.check(f"status of {name}", status < 500, expected="below 500", observed=status)
        k.equal("failures in the log", [text.splitlines()[-1] for text in k.logs if "Traceback" in text], [])
        after = await h.turn(said := k.nonce())
        k.check("an ordinary turn afterwards", said in after.text, expected=said, observed=after.status)


async def _status(h: HostedChannel, body: bytes) -> int:
    return (await h.wire(ask_driver(lambda: h.driver.raw(body), "raw(body)"))).status


async def _an_ordinary_turn(k: Kit, h: HostedChannel) -> None:
    reply = await h.turn(said := k.nonce())
    k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text or reply.status)
