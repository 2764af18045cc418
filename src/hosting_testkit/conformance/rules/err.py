"""HC-ERR: what is told of failures, and what is not."""

from __future__ import annotations

from ...drivers.wire import Error
from ...targets.echo import Echo
from ...targets.misbehaving import Failing
from ..hosted import ask_driver
from ..kit import Kit
from ..model import Unproven
from ..registry import rule
from ..shown import logged_id, seen, told

_TRACES = ("Traceback", "RuntimeError", ".py", "site-packages")


@rule(
    "HC-ERR-001", needs=["http"], why="a broken client must learn that it is broken, not that the server is"
)
async def malformed_bodies_are_400(k: Kit) -> None:
    """Each broken body is refused as the caller's fault, in the protocol's shape, and nothing runs."""
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "a whole body is answered", observed=reply.text)
        bodies = ask_driver(h.driver.malformed, "malformed()")
        if not bodies:
            raise Unproven("the driver gives no malformed()")
        for name, inbound in bodies.items():
            before = len(h.runs)
            wire = await h.wire(inbound)
            if k.equal(f"status of a body that is {name}", wire.status, h.driver.malformed_status):
                outs = await h.decode(wire)
                told = wire.status >= 400 or any(isinstance(out, Error) for out in outs)
                k.check(f"an error for a body that is {name}", told, expected="an error", observed=outs)
            k.equal(f"runs of a body that is {name}", len(h.runs) - before, 0)


@rule("HC-ERR-006", why="exception texts hold secrets, paths and other people's data")
async def failures_are_opaque(k: Kit) -> None:
    """A target that raises gives an error with an id that is in the log, and nothing of the exception."""
    canary = k.nonce()
    for stream in (False, True) if k.claim("streaming").runs else (False,):
        k.logs.clear()
        async with k.host(Failing(RuntimeError(f"canary {canary}"))) as h:
            reply = await h.turn(stream=stream)
            secrets = {
                canary: "the exception's text",
                **{value: name for name, value in h.env.secrets.items()},
            }
        how = "streamed" if stream else "one-shot"
        what = told(reply)
        k.check(
            f"{how}: something is told", bool(what), expected="an error or an apology", observed=reply.status
        )
        found = logged_id(what, k.logs)
        k.check(f"{how}: an id that is in the log too", found is not None, expected="an id", observed=what)
        wire = seen(reply.wire)
        leaked = [name for value, name in secrets.items() if value in wire]
        leaked += [trace for trace in _TRACES if trace in wire]
        k.equal(f"{how}: leaked on the wire", leaked, [])
