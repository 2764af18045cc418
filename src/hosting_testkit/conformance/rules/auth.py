"""HC-AUTH: who is let in."""

from __future__ import annotations

from ...drivers.turn import Turn
from ...targets.echo import Echo
from ..kit import Kit
from ..model import Unproven
from ..registry import rule

_ALWAYS = {"missing", "wrong"}


@rule("HC-AUTH-001", needs=["auth"], why="an open webhook lets anybody speak as anybody")
async def bad_credentials_are_refused(k: Kit) -> None:
    """Each forged credential is refused and nothing runs; the valid one is let in."""
    async with k.host(Echo()) as h:
        if missing := _ALWAYS - set(h.driver.bad_credentials):
            raise Unproven(f"the driver's bad_credentials lack {sorted(missing)}")
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "the valid credential is let in", observed=reply.status)
        for credential in h.driver.bad_credentials:
            before = len(h.runs)
            wire = await h.wire(h.inbound(Turn(text=k.nonce(), credential=credential)))
            refused = wire.status in (401, 403)
            k.check(f"a {credential} credential", refused, expected="401 or 403", observed=wire.status)
            k.equal(f"runs with a {credential} credential", len(h.runs) - before, 0)
