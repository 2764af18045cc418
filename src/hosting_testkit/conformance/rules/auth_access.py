"""HC-AUTH: who is let in where nobody said it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hosting import ChannelConfigurationError

from ...drivers.base import ChannelDriver, HookMissing
from ...drivers.turn import Inbound, Turn
from ...drivers.wire import Wire
from ...targets.echo import Echo
from ...transports.asgi import BridgeOptions
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..model import Unproven
from ..registry import rule
from .auth import STRANGER

_OPENING = {"dangerously_allow_unauthenticated": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """How somebody comes by."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    peer: tuple[str, int] = ("127.0.0.1", 50_000)
    server: tuple[str, int] = ("127.0.0.1", 8000)


_FROM_HERE = {
    "by address": _Visit(),
    "by name": _Visit(headers={"host": "localhost:8000"}),
    "over IPv6": _Visit(headers={"host": "[::1]:8000"}, peer=("::1", 50_000), server=("::1", 8000)),
}
_FROM_ELSEWHERE = {
    "another peer": _Visit(peer=STRANGER),
    "another peer that calls itself loopback": _Visit(
        peer=STRANGER, headers={"x-forwarded-for": "127.0.0.1"}
    ),
    "another server address": _Visit(server=("198.51.100.2", 8000)),
    "a foreign Host": _Visit(headers={"host": "evil.example"}),
    "a Host that looks like loopback": _Visit(headers={"host": "localhost.evil.example"}),
    "a proxy here, by X-Forwarded-For": _Visit(headers={"x-forwarded-for": "203.0.113.7"}),
    "a proxy here, by X-Forwarded-Host": _Visit(headers={"x-forwarded-host": "evil.example"}),
    "a proxy here, by Forwarded": _Visit(headers={"forwarded": "for=203.0.113.7"}),
}


@rule("HC-AUTH-006", needs=["auth"], why="what is forgotten in the settings must not open the door")
async def nothing_is_open_by_default(k: Kit) -> None:
    """Without credentials a platform channel is refused and an API channel is for loopback; opening is said aloud."""
    if k.claim("webhook").runs:
        _cannot_be_built(k)
    elif not _is_required(k):
        async with k.host(Echo(), make=lambda driver: driver.unconfigured(driver.env)) as h:
            wire, runs = await _visit(k, h, _Visit())
            k.control(runs == 1, "without credentials a caller on loopback is served", observed=wire.status)
            wire, runs = await _visit(k, h, _Visit(peer=STRANGER))
            k.equal("without credentials a stranger gets", wire.status, 401)
            k.equal("runs of a stranger without credentials", runs, 0)
    k.logs.clear()
    async with k.host(Echo(), make=lambda driver: driver.opened(driver.env)) as h:
        wire, runs = await _visit(k, h, _Visit(peer=STRANGER))
        k.equal("runs of a stranger where it was opened", runs, 1)
        first = _warnings(k)
        await h.restart()
    if k.claim("webhook").runs:
        k.check("a warning at the start", len(first) >= 1, expected="a warning", observed=k.logs)
        k.equal("warnings after a second start", len(_warnings(k)), 2 * len(first))
        await _opened_with_a_secret(k)


async def _opened_with_a_secret(k: Kit) -> None:
    """Opening is for want of a secret; one that is given counts (contract 17.1)."""
    driver = k.driver(options=_OPENING)
    try:
        driver.make(driver.env)
    except (TypeError, ChannelConfigurationError):
        return  # refused, or opened in another way, as `opened` shows
    async with k.host(Echo(), options=_OPENING) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "a credential is good where it was opened too", observed=reply.status)
        wire, runs = await _visit(k, h, _Visit(peer=STRANGER))
        observed = f"status {wire.status}, {runs} runs"
        refused = wire.status in (401, 403) and not runs
        name = "a stranger where it was opened and has its secret"
        k.check(name, refused, expected="401 or 403, 0 runs", observed=observed)


def _cannot_be_built(k: Kit) -> None:
    driver = k.driver()
    try:
        driver.unconfigured(driver.env)
        observed = "it was built"
    except ChannelConfigurationError as error:
        observed = (
            f"ChannelConfigurationError for {error.channel}" if error.field else "an error without a field"
        )
    except HookMissing as error:
        raise Unproven(str(error)) from error
    k.equal("without its secret", observed, f"ChannelConfigurationError for {driver.env.name}")


def _is_required(k: Kit) -> bool:
    """Nobody can forget what Python asks for: `auth` without a default."""
    driver = k.driver()
    ask_driver(lambda: driver.make(driver.env), "make(env)")
    refused, observed = False, "it was built"
    try:
        driver.unconfigured(driver.env)
    except HookMissing as error:
        raise Unproven(str(error)) from error
    except Exception as error:
        refused, observed = True, type(error).__name__
        proper = isinstance(error, TypeError | ValueError | ChannelConfigurationError)
    else:
        proper = True
    k.check("without credentials it is refused, or serves loopback only", proper, observed=observed)
    return refused


def _warnings(k: Kit) -> list[str]:
    name = k.envs[-1].name
    return [str(event) for event in k.log.events if event.kind == "log" and name in event.detail]


@rule(
    "HC-AUTH-012",
    needs=["auth", "http"],
    unless=["webhook"],
    why="a laptop's agent must not answer the network, nor a web page in the browser next to it",
)
async def loopback_means_loopback(k: Kit) -> None:
    """Peer, server address, Host and proxies all have to say that it comes from here; each refusal is logged."""
    if _is_required(k):
        return
    async with k.host(Echo(), make=lambda driver: driver.unconfigured(driver.env)) as h:
        for name, visit in _FROM_HERE.items():
            wire, runs = await _visit(k, h, visit)
            k.control(runs == 1, f"a caller on loopback is served, {name}", observed=wire.status)
        for name, visit in _FROM_ELSEWHERE.items():
            k.logs.clear()
            wire, runs = await _visit(k, h, visit)
            k.equal(f"{name}: status", wire.status, 401)
            k.equal(f"{name}: runs", runs, 0)
            k.equal(f"{name}: lines in the log", len([line for line in k.logs if _is_told(line)]), 1)


def _is_told(line: str) -> bool:
    """What is written for whoever runs the app; what is for debugging is the channel's own."""
    return not line.startswith("DEBUG ")


async def _visit(k: Kit, h: HostedChannel, visit: _Visit) -> tuple[Wire, int]:
    """A turn without a credential; the answer and the number of its runs."""
    before = len(h.runs)
    inbound = h.inbound(Turn(text=k.nonce(), credential="missing"))
    bridge = BridgeOptions(client=visit.peer, server=visit.server, raise_app_errors=False)
    wire = await h.wire(inbound.with_headers(visit.headers), bridge=bridge)
    return wire, len(h.runs) - before


@rule("HC-AUTH-009", needs=["auth", "websocket"], why="a door beside the locked one")
async def websockets_are_authenticated(k: Kit) -> None:
    """Each forged credential is refused at the upgrade, and nothing runs; the valid one is let in."""
    async with k.host(Echo()) as h:
        wire = await h.wire(_socket(h.driver, Turn(text=(said := k.nonce()))))
        outs = await h.decode(wire)
        k.control(any(said[:8] in str(out) for out in outs), "the valid credential is let in", observed=outs)
        for credential in h.driver.bad_credentials:
            before = len(h.runs)
            refused = await h.wire(_socket(h.driver, Turn(text=k.nonce(), credential=credential)))
            was = refused.status in (401, 403)
            k.check(f"a {credential} credential", was, expected="401 or 403", observed=refused.status)
            k.equal(f"messages to a {credential} credential", list(refused.frames), [])
            k.equal(f"runs with a {credential} credential", len(h.runs) - before, 0)


def _socket(driver: ChannelDriver, turn: Turn) -> Inbound:
    inbound = ask_driver(lambda: driver.inbound(turn), "inbound(turn)")
    if inbound.method == "WEBSOCKET":
        return inbound
    return ask_driver(lambda: driver.websocket(turn), "websocket(turn)")
