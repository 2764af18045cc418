"""HC-IDENT: who a person is."""

from __future__ import annotations

from dataclasses import replace

from hosting import ChannelIdentity, ChannelRequest

from ...drivers.turn import Inbound, Turn
from ...targets.counting import Counting
from ...targets.echo import Echo
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule

_CLAIMS = (
    "x-user",
    "x-user-id",
    "x-forwarded-user",
    "x-agent-user-isolation-key",
    "x-agent-chat-isolation-key",
)


class _Seen:
    """A run hook that keeps the identities of requests."""

    def __init__(self) -> None:
        self.requests: list[ChannelRequest] = []

    def __call__(self, request: ChannelRequest) -> ChannelRequest:
        self.requests.append(request)
        return request

    @property
    def identities(self) -> list[ChannelIdentity | None]:
        return [request.identity for request in self.requests]


@rule(
    "HC-IDENT-001",
    needs=["identity", "hooks", "groups"],
    why="a group is not a person: rights and links belong to people",
)
async def identity_is_the_person(k: Kit) -> None:
    """One person is the same in two places, and two people in one group are two."""
    seen = _Seen()
    async with k.host(Echo(), options={"run_hook": seen}) as h:
        await h.turn(k.nonce(), user="ann")
        await h.turn(k.nonce(), user="ann", conversation="room", group=True)
        await h.turn(k.nonce(), user="bob", conversation="room", group=True)
    k.control(len(seen.requests) == 3, "all three turns came through", observed=len(seen.requests))
    private, group, other = seen.identities
    k.check(
        "a person in a group is the person of the private chat", group == private, observed=(private, group)
    )
    k.check("two people in a group are two", group != other, observed=(group, other))


@rule("HC-IDENT-002", needs=["identity", "hooks"], why="people change their names, and take each other's")
async def identity_survives_a_new_name(k: Kit) -> None:
    """A new display name changes nothing; an equal one makes nobody the same."""
    seen = _Seen()
    async with k.host(Counting(), options={"run_hook": seen}) as h:
        await h.turn(k.nonce(), user="ann", display="Ann")
        await h.turn(k.nonce(), user="ann", display="Dr. Ann Other")
        await h.turn(k.nonce(), user="bob", display="Ann")
    k.control(len(seen.requests) == 3, "all three turns came through", observed=len(seen.requests))
    before, after, namesake = seen.identities
    k.check("a person with a new name", before is not None and after == before, observed=(before, after))
    k.check("another person with the same name", namesake != before, observed=(before, namesake))


@rule("HC-IDENT-003", needs=["auth"], why="whoever can name themselves can be anybody")
async def identity_comes_from_authenticated_fields(k: Kit) -> None:
    """A header or a body field that names somebody else opens nothing of theirs."""
    async with k.host(Counting()) as h:
        await h.turn(secret := k.nonce(), user="bob")
        own = await h.turn(Counting.RECALL, user="bob")
        k.control(secret in own.text, "bob's session holds what he said", observed=own.text)
        for name in _CLAIMS:
            heard = await _as_if(h, Turn(text=Counting.RECALL, user="ann"), {name: "bob"})
            k.check(f"a turn of ann's with {name}: bob", secret not in heard, observed=heard)
        body = Turn(
            text=Counting.RECALL, user="ann", extra={"user_id": "bob", "caller": "bob", "identity": "bob"}
        )
        await h.wire(h.inbound(body))
        heard = h.runs[-1].state.get(Counting.STATE, {}).get("heard", [])
        k.equal("what ann's session holds after a body that says bob", heard, [])


async def _as_if(h: HostedChannel, turn: Turn, headers: dict[str, str]) -> str:
    """What the session of a turn holds whose request has further headers."""
    inbound: Inbound = h.inbound(turn)
    before = len(h.runs)
    await h.wire(replace(inbound, headers={**inbound.headers, **headers}))
    return repr([run.state for run in h.runs[before:]])


@rule(
    "HC-IDENT-004",
    needs=["identity", "hooks"],
    why="a shared placeholder gives all strangers one conversation",
)
async def the_anonymous_are_nobody(k: Kit) -> None:
    """A turn whose sender the platform does not name has no identity."""
    seen = _Seen()
    async with k.host(Echo(), options={"run_hook": seen}) as h:
        await h.turn(k.nonce(), user="ann")
        k.control(bool(seen.requests) and seen.identities[0] is not None, "a named person has an identity")
        await h.turn(k.nonce(), user="", conversation="room", group=h.driver.capabilities["groups"].runs)
    k.equal("identities of a turn without a sender", seen.identities[1:] or [None], [None])
