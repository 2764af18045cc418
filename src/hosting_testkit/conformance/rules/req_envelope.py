"""HC-REQ: what stands in the envelope beside the text, and who may put it there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hosting import ChannelRequest

from ...drivers.turn import Inbound, Turn
from ...targets.echo import Echo
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..model import Unproven
from ..registry import rule
from ..shown import seen


class _Requests(list[ChannelRequest]):
    """A run hook that keeps every request."""

    def __call__(self, request: ChannelRequest) -> ChannelRequest:
        self.append(request)
        return request


@rule(
    "HC-REQ-004",
    needs=["caller_options", "hooks"],
    why="an option that callers can smuggle in costs the app money, or its safety",
)
async def only_allowed_options_come_through(k: Kit) -> None:
    """Allowed options reach the target, whatever their value; others, session references among them, do not."""
    allowed = dict(k.claim("caller_options").params.get("allowed", {}))
    if not allowed:
        raise Unproven(
            'caller_options is declared without its options; say SUPPORTED(allowed={"name": value})'
        )
    unknown = {f"kit_{k.nonce()}": "x"}
    requests = _Requests()
    async with k.host(Echo(), options={"run_hook": requests}) as h:
        await h.turn(k.nonce(), options=allowed)
        k.control(
            dict(requests[-1].options) != {}, "an allowed option arrives", observed=requests[-1].options
        )
        k.equal(
            "options that were asked for",
            sorted(requests[-1].options.values(), key=str),
            sorted(allowed.values(), key=str),
        )
        first = dict(requests[-1].options)
        await _zeros(k, h, requests, allowed)
        await h.turn(k.nonce(), options=allowed, extra=unknown)
        k.equal("options with an unknown key in the body", dict(requests[-1].options), first)
        body = requests[-1].attributes.get("body", {})
        k.check(
            "the unknown key is found by the app", unknown.keys() <= dict(body).keys(), observed=dict(body)
        )
        k.check(
            "the unknown key stays away from the target", not _holds(h.runs[-1], unknown), observed=h.runs[-1]
        )
        for name in ("conversation_id", "previous_response_id"):
            await h.wire(h.inbound(Turn(text=k.nonce(), options={name: "kit"})))
        if k.claim("caller_sessions").runs:
            await _continued(k, h)
        smuggled = {name for request in requests for name in request.options} & {
            "conversation_id",
            "previous_response_id",
        }
        k.equal("session references among the options", smuggled, set())


async def _zeros(k: Kit, h: HostedChannel, requests: _Requests, allowed: Mapping[str, Any]) -> None:
    """An option that is 0 or false is asked for like any other: it arrives, or the caller learns that it may not be."""
    for name, value in allowed.items():
        if not isinstance(value, int | float):
            continue  # an empty text or list may well mean that nothing is asked for
        zero, before = type(value)(), len(requests)
        reply = await h.turn(k.nonce(), options={name: zero})
        arrived = [list(request.options.values()) for request in requests[before:]]
        refused = not arrived and (400 <= reply.status < 500 or bool(reply.errors))
        k.check(
            f"{name} that is {zero!r} arrives, or is refused",
            refused or arrived == [[zero]],
            expected=zero,
            observed=arrived or reply.status,
        )


async def _continued(k: Kit, h: HostedChannel) -> None:
    first = await h.turn(k.nonce())
    parent = ask_driver(lambda: h.driver.reference(first), "reference(reply)")
    await h.turn(k.nonce(), parent=parent)


def _holds(run: Any, names: dict[str, str]) -> bool:
    told = [message.additional_properties for message in run.messages]
    return any(name in repr((run.options, run.kwargs, told)) for name in names)


@rule("HC-REQ-005", needs=["hooks"], why="attributes are stored and logged: a token in them is a token lost")
async def metadata_is_plain_and_clean(k: Kit) -> None:
    """Metadata and attributes survive JSON and hold no credential."""
    requests = _Requests()
    async with k.host(Echo(), options={"run_hook": requests}) as h:
        for stream in (False, True) if k.claim("streaming").runs else (False,):
            await h.turn(k.nonce(), stream=stream)
        secrets = dict(h.env.secrets)
    k.control(bool(requests), "the hook saw requests")
    for request in requests:
        held = {"metadata": dict(request.metadata), "attributes": dict(request.attributes)}
        text = _as_json(held)
        k.check("metadata and attributes are JSON", text is not None, expected="JSON", observed=held)
        leaked = [name for name, value in secrets.items() if value in f"{text}{held!r}"]
        k.equal("secrets in metadata and attributes", leaked, [])


def _as_json(value: Any) -> str | None:
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        return None
    return text if json.loads(text) == value else None


@rule(
    "HC-REQ-006",
    needs=["streaming", "hooks"],
    unless=["edits"],
    why="hooks and logs must know what was asked for",
)
async def the_stream_flag_is_the_callers(k: Kit) -> None:
    """`stream` is true exactly where the caller asked for a stream."""
    requests = _Requests()
    async with k.host(Echo(), options={"run_hook": requests}) as h:
        for stream in (False, True, False):
            await h.turn(k.nonce(), stream=stream)
        k.equal("`stream` of three requests", [request.stream for request in requests], [False, True, False])
        await _accepts_both(k, h)


async def _accepts_both(k: Kit, h: HostedChannel) -> None:
    """Clients that know streams say so with every request; where the body asks, that is no request for one."""
    plain, streamed = (h.inbound(Turn(text=k.nonce(), stream=stream)) for stream in (False, True))
    if plain.method != "POST" or _asked_by(plain) != _asked_by(streamed):
        return
    accept = {"accept": "application/json, text/event-stream"}
    wire = await h.wire(plain.with_headers(accept))
    what = "stream" if wire.is_sse else f"answer with status {wire.status}"
    k.equal("what a caller gets who accepts streams and asks for none", what, "answer with status 200")


def _asked_by(inbound: Inbound) -> tuple[str, str | None]:
    """Where and by what header a request may say that it wants a stream."""
    return inbound.path, {name.lower(): value for name, value in inbound.headers.items()}.get("accept")


@rule(
    "HC-REQ-011",
    needs=["caller_options", "hooks"],
    why="a caller that can set what the host sets can be anybody, and resume anything",
)
async def the_body_sets_nothing_of_the_hosts(k: Kit) -> None:
    """The developer's block is where the app looks for it; the rest of the body reaches no key of the host."""
    requests = _Requests()
    forged: dict[str, Any] = {
        "caller": "bob",
        "identity": "bob",
        "isolation_key": "bob",
        "delivery_id": "forged",
        "workflow.checkpoint_id": "forged",
        "attributes": {"workflow.checkpoint_id": "forged"},
    }
    async with k.host(Echo(), options={"run_hook": requests}) as h:
        await h.turn(k.nonce(), user="ann")
        await h.turn(k.nonce(), user="ann", hosting={"own": "block"})
        k.equal("the developer's block", requests[-1].attributes.get("hosting"), {"own": "block"})
        before = len(requests)
        await h.wire(h.inbound(Turn(text=k.nonce(), user="ann", extra=forged)))
        plain = requests[0]
        for request in requests[before:]:
            k.equal("the caller", request.caller, plain.caller)
            k.equal("the identity", request.identity, plain.identity)
            k.check("the delivery id", request.delivery_id != "forged", observed=request.delivery_id)
            own = {name for name in request.attributes if name not in ("hosting", "body")}
            k.equal("attributes of the host that the body set", own - set(plain.attributes), set())


@rule("HC-REQ-013", why="agents and their tools must know where a message came from")
async def the_message_says_where_it_came_from(k: Kit) -> None:
    """The last user message carries channel, identity, conversation and delivery id; the client sees none of it."""
    async with k.host(Echo()) as h:
        delivery_id = "1042" if k.claim("delivery_ids").runs else None
        reply = await h.turn(k.nonce(), user="ann", delivery_id=delivery_id)
        said = h.runs[-1].hosting
        k.equal("the channel", said.get("channel"), h.env.name)
        if delivery_id:
            k.equal("the delivery id", said.get("delivery_id"), delivery_id)
        if k.claim("identity").runs:
            k.check("the identity", bool(said.get("identity")), expected="who said it", observed=dict(said))
        if k.claim("messaging").runs:
            k.check(
                "the conversation", bool(said.get("conversation_id")), expected="where", observed=dict(said)
            )
        turn_id = said.get("turn_id")
        k.check(
            "the turn's own id stays inside", not turn_id or turn_id not in seen(reply.wire), observed=turn_id
        )
