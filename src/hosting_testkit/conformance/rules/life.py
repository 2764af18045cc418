"""HC-LIFE: start and stop."""

from __future__ import annotations

from ...targets.echo import Echo
from ..census import Census
from ..kit import Kit
from ..registry import rule


@rule("HC-LIFE-001", why="the first message after a deployment is as good as any other")
async def ready_before_the_first_request(k: Kit) -> None:
    """The callbacks run in order and to their end; a turn sent at once is answered."""
    async with k.host(Echo(), latency=0.5) as h:
        order = [(e.kind, e.detail) for e in k.log.events if e.kind.startswith("startup.")]
        numbers = [str(n) for n in range(1, k.log.count("startup.begin") + 1)]
        expected = [(kind, n) for n in numbers for kind in ("startup.begin", "startup.end")]
        k.control(order == expected, "the startup callbacks ran one after the other", observed=order)
        first = await h.turn(said := k.nonce())
        later = await h.turn(again := k.nonce())
        k.control(again in later.text, "a later turn is answered", observed=later.text)
        k.check("the first turn is answered", said in first.text, expected=said, observed=first.text)


@rule("HC-LIFE-005", why="an app that is reloaded or tested must not grow")
async def nothing_is_left(k: Kit) -> None:
    """After the shutdown all is as before the start; a client that was given stays open."""
    before = Census.take()
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text)
    given = h.env.clients
    k.equal("left after the shutdown", Census.take(known=given).left_over_from(before), [])
    k.equal("given clients that were closed", [str(c.base_url) for c in given if c.is_closed], [])
    changed = {name for c in given if c.base_url.host in h.env.hosts for name in c.headers.keys() - _plain()}
    k.equal("headers that a given client sends everywhere since", sorted(changed), [])
    if given:
        await _own_client(k)


def _plain() -> set[str]:
    """Headers of a client that nobody has changed."""
    return {"accept", "accept-encoding", "connection", "user-agent"}


async def _own_client(k: Kit) -> None:
    before = Census.take()
    async with k.host(Echo(), gives_client=False) as h:
        reply = await h.turn(said := k.nonce())
    name = "a turn is answered through a client of the channel's own"
    k.check(name, said in reply.text, expected=said, observed=reply.texts)
    k.equal("clients of its own that trust any certificate", h.env.unverified, 0)
    left = Census.take(known=h.env.clients).left_over_from(before)  # a simulator may have clients too
    k.equal("left after the shutdown with a client of its own", left, [])
