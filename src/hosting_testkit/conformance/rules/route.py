"""HC-ROUTE: where a channel answers."""

from __future__ import annotations

from ...drivers.turn import Turn
from ...targets.echo import Echo
from ..kit import Kit
from ..registry import rule

_HERE, _ELSEWHERE = "/kit/here", "/other/place"
_REDIRECTS = range(300, 400)


@rule("HC-ROUTE-001", needs=["http"], why="two channels of one kind live side by side under other paths")
async def routes_move_with_the_path(k: Kit) -> None:
    """A turn works at each path that the channel is given, and nothing stays at the old one."""
    for path, other in ((_HERE, _ELSEWHERE), (_ELSEWHERE, _HERE)):
        async with k.host(Echo(), path=path) as h:
            inbound = h.inbound(Turn(text=(said := k.nonce())))
            wire = await h.wire(inbound)
            k.check(f"status of a turn at {path}", wire.status < 300, expected="2xx", observed=wire.status)
            k.equal(f"runs of a turn at {path}", [run.text for run in h.runs], [said])
            old = await h.request(inbound.method, other + inbound.path)
            k.equal(f"status at {other}, where it is not mounted", old.status_code, 404)
            base = path.rpartition("/")[0]
            stray = [
                address
                for contribution in h.contributions
                for route in contribution.root_routes
                if not (address := getattr(route, "path", "")).startswith((f"{base}/", "/.well-known/"))
            ]
            k.equal(f"root routes outside the base {base}", stray, [])


@rule("HC-ROUTE-002", needs=["http"], why="an app that serves one channel mounts it at its root")
async def the_root_is_a_path(k: Kit) -> None:
    """With `path=""` a turn works, and the host's own routes answer before the channel's."""
    async with k.host(Echo(), path="") as h:
        inbound = h.inbound(Turn(text=(said := k.nonce())))
        wire = await h.wire(inbound)
        k.check("status of a turn at the root", wire.status < 300, expected="2xx", observed=wire.status)
        k.equal("runs of a turn at the root", [run.text for run in h.runs], [said])
        for path in ("/liveness", "/readiness"):
            k.equal(f"status of the host's {path}", (await h.request("GET", path)).status_code, 200)


@rule("HC-ROUTE-003", needs=["http"], why="webhook senders do not follow a 307 on POST")
async def no_slash_redirects(k: Kit) -> None:
    """Whatever is asked below the path, with and without a slash, nothing redirects."""
    async with k.host(Echo()) as h:
        inbound = h.inbound(Turn(text=k.nonce()))
        wire = await h.wire(inbound)
        k.control(wire.status < 300, "an ordinary turn is taken", observed=wire.status)
        own = {h.env.path, h.env.path + inbound.path}
        for path in sorted(own | {f"{path}/" for path in own}):
            for method in ("GET", "POST"):
                status = (await h.request(method, path)).status_code
                k.check(f"{method} {path}", status not in _REDIRECTS, expected="no redirect", observed=status)
