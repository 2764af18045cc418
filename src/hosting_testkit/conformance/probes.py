"""Exercises of single capabilities: whether each works once, whatever the driver says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from hosting import ChannelPush, ChannelRequest

from ..drivers.turn import Attachment, Turn
from ..drivers.wire import Delta, Reply, Text
from ..targets import steps
from ..targets.counting import Counting
from ..targets.echo import Echo
from ..targets.gate import Gate
from ..targets.scripted import Scripted
from ..targets.steps import PNG
from .hosted import HostedChannel, ask_driver
from .kit import Kit

Probe = Callable[[Kit], Awaitable[bool]]


async def _http(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        return said in reply.text and any(c.routes or c.root_routes for c in h.contributions)


async def _websocket(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        turn = Turn(text=(said := k.nonce()))
        inbound = h.inbound(turn)
        if inbound.method != "WEBSOCKET":
            inbound = ask_driver(lambda: h.driver.websocket(turn), "websocket(turn)")
        wire = await h.wire(inbound)
        return said in Reply(wire, await h.decode(wire)).text


async def _middleware(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        return any(contribution.middleware for contribution in h.contributions)


async def _root_routes(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        return any(contribution.root_routes for contribution in h.contributions)


async def _streaming(k: Kit) -> bool:
    pause = steps.Sleep(k.claim("edits").params.get("interval", 0.0) * 1.2)
    async with k.host(Scripted(first := k.nonce(), pause, second := k.nonce())) as h:
        reply = await h.turn(stream=True)
        pieces = any(isinstance(out, Delta) for out in reply.outs) or _edited(reply)
        return pieces and first in reply.text and second in reply.text


async def _sse(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        return (await h.turn(k.nonce(), stream=True)).wire.is_sse


async def _sequence_numbers(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        reply = await h.turn(k.nonce(), stream=True)
        return bool(ask_driver(lambda: h.driver.sequence(reply.wire), "sequence(wire)"))


def _edited(reply: Reply) -> bool:
    """Some item was shown more than once."""
    shown = Counter(out.item for out in reply.outs if isinstance(out, Text) and out.item is not None)
    return any(times > 1 for times in shown.values())


async def _hooks(k: Kit) -> bool:
    hooked = k.nonce()

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        return request.replace(input=hooked)

    async with k.host(Echo(), options={"run_hook": run_hook}) as h:
        return hooked in (await h.turn(k.nonce())).text


async def _sessions(k: Kit) -> bool:
    async with k.host(Counting()) as h:
        await h.turn(said := k.nonce())
        return said in (await h.turn(Counting.RECALL)).text


async def _caller_sessions(k: Kit) -> bool:
    personal = {"conversation_scope": "per_user"} if k.claim("groups").runs else {}
    async with k.host(Counting(), options=personal) as h:
        await h.turn(said := k.nonce(), conversation=(mine := k.nonce()))
        other = await h.turn(Counting.RECALL, conversation=k.nonce())
        return said not in other.text and said in (await h.turn(Counting.RECALL, conversation=mine)).text


async def _reset(k: Kit) -> bool:
    async with k.host(Counting()) as h:
        await h.turn(said := k.nonce())
        before = said in (await h.turn(Counting.RECALL)).text
        await h.turn(reset=True)
        return before and said not in (await h.turn(Counting.RECALL)).text


async def _auth(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        await h.turn(k.nonce(), credential="missing")
        refused = not h.runs
        return refused and (said := k.nonce()) in (await h.turn(said)).text


async def _caller_options(k: Kit) -> bool:
    asked = dict(k.claim("caller_options").params.get("allowed", {}))
    async with k.host(Echo()) as h:
        await h.turn(k.nonce(), options=asked)
        return any(run.options.get(name) == value for run in h.runs for name, value in asked.items())


async def _identity(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        await h.turn(k.nonce())
        return any(run.hosting.get("identity") for run in h.runs)


async def _events(k: Kit) -> bool:
    return bool(k.driver().non_turns())


async def _delivery_ids(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        delivery, said = k.nonce(), k.nonce()
        first = await h.turn(said, delivery_id=delivery)
        await h.turn(said, delivery_id=delivery)
        return said in first.text and len(h.runs) == 1


async def _answers(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        return (said := k.nonce()) in (await h.turn(said)).text


async def _outbound(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        await h.turn(k.nonce())
        return bool(h.env.calls)


async def _ack_first(k: Kit) -> bool:
    async with k.host(gate := Gate()) as h, h.open(h.inbound(Turn(text=(said := k.nonce())))) as opened:
        await gate.reached(said)
        acknowledged = await opened.shows(lambda reply: reply.wire.complete)
        gate.release(said)
        return acknowledged and await opened.shows(lambda reply: said in reply.text)


async def _push(k: Kit) -> bool:
    return isinstance(k.build(k.driver()), ChannelPush)


async def _commands(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        reply = await h.turn("", command="help")
        return bool(reply.text) and not h.runs


async def _groups(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce(), group=True, conversation=k.nonce())
        return said in reply.text


async def _threads(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        reply = await h.turn(k.nonce(), group=True, conversation=k.nonce(), thread=(thread := k.nonce()))
        return any(isinstance(out, Text) and out.thread == thread for out in reply.outs)


async def _attachments_in(k: Kit) -> bool:
    async with k.host(Echo()) as h:
        await h.turn(k.nonce(), attachments=[Attachment(name="a.png", media_type="image/png", content=PNG)])
        return any(_has_file(h, number) for number in range(len(h.runs)))


def _has_file(h: HostedChannel, run: int) -> bool:
    contents = [content for message in h.runs[run].messages for content in message.contents]
    return any(content.type != "text" for content in contents)


async def _text_limit(k: Kit) -> bool:
    params = k.claim("text_limit").params
    return isinstance(params.get("limit"), int) and params.get("unit") in ("utf16", "codepoints", "utf8")


async def _input_limit(k: Kit) -> bool:
    params = k.claim("input_limit").params
    return isinstance(params.get("limit"), int) and params.get("unit") in ("utf16", "codepoints", "utf8")


PROBES: Mapping[str, Probe] = {
    "http": _http,
    "websocket": _websocket,
    "middleware": _middleware,
    "root_routes": _root_routes,
    "auth": _auth,
    "sessions": _sessions,
    "caller_sessions": _caller_sessions,
    "caller_options": _caller_options,
    "identity": _identity,
    "hooks": _hooks,
    "streaming": _streaming,
    "sse": _sse,
    "sequence_numbers": _sequence_numbers,
    "delivery_ids": _delivery_ids,
    "events": _events,
    "webhook": _answers,
    "ack_first": _ack_first,
    "polling": _answers,
    "messaging": _answers,
    "outbound": _outbound,
    "push": _push,
    "reset": _reset,
    "commands": _commands,
    "groups": _groups,
    "threads": _threads,
    "attachments_in": _attachments_in,
    "text_limit": _text_limit,
    "input_limit": _input_limit,
}
"""By capability. The others are proven by running a rule that needs them."""

UNASKED = (
    "streaming",
    "sse",
    "delivery_ids",
    "sessions",
    "caller_sessions",
    "reset",
    "auth",
    "hooks",
    "push",
    "commands",
    "threads",
    "attachments_in",
    "identity",
    "middleware",
    "root_routes",
)
"""What can be tried with a channel that does not claim it, and would be seen to work."""
