"""HC-ROUTE: a channel beside others: each keeps to its own addresses."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from hosting import Channel, ChannelContribution

from ...targets.echo import Echo
from ..building import refused
from ..hosted import HostedChannel
from ..kit import Kit
from ..peers import Peer
from ..registry import rule

_HOST_PATHS = ("/liveness", "/readiness")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_WELL_KNOWN = "/.well-known/"


@rule("HC-ROUTE-007", needs=["http"], why="an app serves two tenants, or two bots, by two channels of a kind")
async def two_of_a_kind_live_side_by_side(k: Kit) -> None:
    """Two instances with other names and paths answer their own turns, also those of one delivery id."""
    paths = {"left": "/kit/left", "right": "/other/right"}
    names = [k.build(k.driver(name=name, path=path)).name for name, path in paths.items()]
    if not k.equal("names of two instances that were given names", names, list(paths)):
        return
    async with k.side_by_side(Echo(), paths) as both:
        delivery, said = k.nonce(), [k.nonce() for _ in both]
        for number, (h, name) in enumerate(zip(both, paths, strict=True), 1):
            await h.turn(said[number - 1], delivery_id=delivery)
            k.equal(
                f"what the target heard, after a turn through {name}",
                [run.text for run in h.runs],
                said[:number],
            )


@rule("HC-ROUTE-008", needs=["http"], why="an orchestrator restarts what does not answer its probes")
async def others_addresses_are_left_alone(k: Kit) -> None:
    """The host's routes and another channel's answer as they would without the channel; shadowing is refused."""
    for path in ("", "/kit/x"):
        where = path or "the root"
        channel = k.build(k.driver(path=path))
        if not k.equal(
            f"refused beside another channel, at {where}", _told([channel, Peer("peer", k.log)]), None
        ):
            continue
        async with k.host(Echo(), path=path, peers=lambda one: [one, Peer("peer", k.log)]) as h:
            await h.turn(k.nonce())
            for address in _HOST_PATHS:
                answers = {method: (await h.request(method, address)).status_code for method in _METHODS}
                expected = {method: 200 if method in ("GET", "HEAD") else 405 for method in _METHODS}
                k.equal(f"answers of {address} beside a channel at {where}", answers, expected)
            k.equal(f"who answers at /peer beside a channel at {where}", await _who(h), "peer")
            k.equal(f"runs beside that of the turn, at {where}", len(h.runs) - 1, 0)
    await _shadowing_is_refused(k)


async def _shadowing_is_refused(k: Kit) -> None:
    """A channel that wants the host's addresses, or this channel's, is named with the field at fault."""

    async def taken(request: Request) -> PlainTextResponse:
        return PlainTextResponse("shadow")

    channel = k.build(k.driver(path="/kit/x"))
    for address in (*_HOST_PATHS, "/{anything:path}"):
        shadow = Peer("shadow", k.log, root_routes=[Route(address, taken, methods=list(_METHODS))])
        error = refused([channel, shadow])
        found = error and (error.channel, bool(error.field))
        k.control(
            found == ("shadow", True),
            f"the host refuses another channel's root route {address}",
            observed=found,
        )


@rule("HC-ROUTE-011", needs=["middleware"], why="one channel's limits and headers must not hit all others")
async def middleware_is_the_channels_own(k: Kit) -> None:
    """A request for another channel goes through the same functions with and without this one in the app."""
    async with k.host(Echo(), peers=lambda one: [Peer("peer", k.log)]) as h:
        alone = await h.request("GET", "/peer")
    async with k.host(Echo(), peers=lambda one: [one, Peer("peer", k.log)]) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text)
        middleware = [one for contribution in h.contributions for one in contribution.middleware]
        k.control(bool(middleware), "middleware is contributed", observed=middleware)
        for address in ("/peer", "/liveness"):
            answer = await h.request("GET", address)
            k.equal(f"headers of {address}", sorted(answer.headers), sorted(await _headers(k, address)))
        beside = await h.request("GET", "/peer")
        through = _through(beside, alone)
        k.equal("what a request for another channel goes through besides", through, [])


def _through(beside: httpx.Response, alone: httpx.Response) -> Sequence[str]:
    known = set(alone.json()["through"])
    return [name for name in beside.json()["through"] if name not in known]


async def _headers(k: Kit, address: str) -> Sequence[str]:
    async with k.host(Echo(), peers=lambda one: [Peer("peer", k.log)]) as h:
        return list((await h.request("GET", address)).headers)


@rule("HC-ROUTE-012", needs=["root_routes"], why="clients of a protocol look for it at fixed places")
async def root_routes_lie_under_the_base(k: Kit) -> None:
    """They move with the base, bare and under the version, and answer; well-known documents stay absolute."""
    relative: list[set[str]] = []
    for base in ("/kit/a", "/kit/b"):
        async with k.host(Echo(), path=f"{base}/channel") as h:
            contribution = h.contributions[0]
            relative.append(_moving(contribution, base))
            _look_at(k, contribution, base)
            for route in contribution.root_routes:
                if isinstance(route, Route) and "{" not in route.path:
                    method = sorted(route.methods or {"GET"})[-1]
                    status = (await h.request(method, route.path)).status_code
                    k.check(
                        f"{method} {route.path}",
                        status not in (404, 405),
                        expected="an answer",
                        observed=status,
                    )
    k.equal("addresses that did not move with the base", sorted(relative[0] ^ relative[1]), [])
    first, second = (k.build(k.driver(name=name, path=f"/kit/{name}/channel")) for name in ("a", "b"))
    told = _told([first, second])
    collide = told is not None and _WELL_KNOWN not in told  # of well-known documents there is only one
    k.check("two instances on other bases", not collide, expected="side by side", observed=told)


def _look_at(k: Kit, contribution: ChannelContribution, base: str) -> None:
    roots = _addresses(contribution.root_routes)
    inside = [address for address in _addresses(contribution.routes) if address.startswith(_WELL_KNOWN)]
    k.equal("well-known documents under the channel's own path", inside, [])
    versions = {
        parts[0] for parts in map(_versioned, (root.removeprefix(base) for root in roots)) if parts[0]
    }
    own = {f"/channel{'' if address == '/' else address}" for address in _addresses(contribution.routes)}
    bare = {root.removeprefix(base) for root in roots if not _is_well_known(root)} | own
    for version in sorted(versions):
        plain = {address for address in bare if not _versioned(address)[0]}
        prefixed = {_versioned(address)[1] for address in bare if _versioned(address)[0] == version}
        k.equal(f"addresses that answer only under {version}", sorted(prefixed - plain), [])
        k.equal(f"addresses that do not answer under {version}", sorted(plain - prefixed), [])


def _moving(contribution: ChannelContribution, base: str) -> set[str]:
    """The root addresses that belong to the base, seen from there."""
    return {
        root.removeprefix(base) for root in _addresses(contribution.root_routes) if not _is_well_known(root)
    }


def _versioned(address: str) -> tuple[str, str]:
    """The version prefix of an address, "" without one, and what follows it."""
    first, slash, rest = address.removeprefix("/").partition("/")
    numbered = first[:1] == "v" and first[1:].isdigit()
    return (f"/{first}", f"{slash}{rest}") if numbered else ("", address)


def _is_well_known(address: str) -> bool:
    return address.startswith(_WELL_KNOWN)


def _addresses(routes: Sequence[object]) -> list[str]:
    return [route.path for route in routes if isinstance(route, Route | WebSocketRoute)]


def _told(channels: Sequence[Channel]) -> str | None:
    """The error of building a host with these channels."""
    error = refused(channels)
    return None if error is None else str(error)


async def _who(h: HostedChannel) -> object:
    answer = await h.request("GET", "/peer")
    is_json = answer.headers.get("content-type") == "application/json"
    return answer.json().get("answered by") if is_json else (answer.status_code, answer.text[:40])
