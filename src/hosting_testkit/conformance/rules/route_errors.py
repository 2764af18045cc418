"""HC-ROUTE: what a channel answers where it has no route, and where it has one for another method."""

from __future__ import annotations

from ...drivers.turn import Inbound, Turn
from ...drivers.wire import Error, Wire
from ...targets.echo import Echo
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..model import Unproven
from ..registry import rule

_OTHERS = ("GET", "PUT", "PATCH", "DELETE")
_SOCKET = "WEBSOCKET"
_Shape = tuple[str, bool]


@rule("HC-ROUTE-004", needs=["http"], why="a typing error in an address must not look like an answer")
async def unknown_paths_are_404(k: Kit) -> None:
    """Two segments that nobody knows, below the path: 404 in the protocol's shape, and nothing runs."""
    async with k.host(Echo()) as h:
        inbound = await _taken(k, h)
        shape = await _error_shape(h)
        before = len(h.runs)
        unknown = Inbound(
            method="GET" if inbound.method == _SOCKET else inbound.method,
            path=f"/{k.nonce()}/{k.nonce()}",
            headers=inbound.headers,
            body=inbound.body,
        )
        wire = await h.wire(unknown)
        k.equal("status of an unknown path", wire.status, 404)
        k.equal("runs of an unknown path", len(h.runs) - before, 0)
        if shape:
            k.equal("form of the 404, beside that of a refused body", await _shape(h, wire), shape)


@rule("HC-ROUTE-005", needs=["http"], why="crawlers and previews send GET to every address they see")
async def other_methods_are_405(k: Kit) -> None:
    """The turn by other methods, at the same address: 405 with `Allow` unless declared, and nothing runs."""
    async with k.host(Echo()) as h:
        inbound = await _taken(k, h)
        shape = await _error_shape(h)
        others = [method for method in _OTHERS if method != inbound.method]
        refused = [method for method in others if await _is_refused(k, h, inbound, method, shape)]
        k.check(
            "methods that are refused with 405", bool(refused), expected="PATCH at least", observed=refused
        )


async def _is_refused(k: Kit, h: HostedChannel, turn: Inbound, method: str, shape: _Shape | None) -> bool:
    """Whether the turn by another method is 405; it may mean something else, but never a run."""
    before = len(h.runs)
    wire = await h.wire(Inbound(method=method, path=turn.path, headers=turn.headers, body=turn.body))
    k.equal(f"runs of the turn by {method}", len(h.runs) - before, 0)
    if turn.method == _SOCKET:  # an address for WebSockets alone allows no method at all
        return wire.status >= 400
    if wire.status != 405:
        return False
    allow = wire.headers.get("allow", "")
    k.check(f"Allow after {method}", turn.method in allow, expected=turn.method, observed=allow)
    if shape:
        k.equal(f"form of the 405 of {method}", await _shape(h, wire), shape)
    return True


async def _taken(k: Kit, h: HostedChannel) -> Inbound:
    """A turn that works, as a control."""
    inbound = h.inbound(Turn(text=k.nonce()))
    wire = await h.wire(inbound)
    k.control(wire.status < 300 and bool(h.runs), "an ordinary turn is taken", observed=wire.status)
    return inbound


async def _error_shape(h: HostedChannel) -> _Shape | None:
    """How the protocol tells that a body is refused; None where it tells nothing."""
    for inbound in ask_driver(h.driver.malformed, "malformed()").values():
        if inbound.to == "channel" and inbound.method != _SOCKET:
            wire = await h.wire(inbound)
            return await _shape(h, wire) if wire.status >= 400 else None
    return None


async def _shape(h: HostedChannel, wire: Wire) -> _Shape:
    """Media type, and whether a client of the protocol reads an error."""
    media_type = wire.headers.get("content-type", "").partition(";")[0]
    try:
        return media_type, any(isinstance(out, Error) for out in await h.decode(wire))
    except Unproven:  # the driver cannot read it, so no client can
        return media_type, False
