"""HC-ERR: request bodies that are not what they should be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from hosting import HostLimits

from ...drivers.turn import Turn
from ...drivers.wire import Error
from ...targets.echo import Echo
from ...transports.asgi import BridgeOptions
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule

_LIMIT = 64 * 1024
_PIECE = 4 * 1024
_SLACK = 4
_PATIENCE = 60.0  # virtual seconds
_SAME_TYPE = ("application/json; charset=utf-8", "Application/JSON")
_OTHER_TYPES = ("text/plain", "application/xml", "application/x-www-form-urlencoded")


@rule(
    "HC-ERR-002", needs=["http"], why="a body that is read as something that it is not means something else"
)
async def other_content_types_are_415(k: Kit) -> None:
    """A turn is answered as JSON, and refused under any other content type, without a run."""
    async with k.host(Echo()) as h:
        await _an_ordinary_turn(k, h)
        for content_type in _OTHER_TYPES:
            before = len(h.runs)
            whole = h.inbound(Turn(text=k.nonce()))
            wire = await h.wire(replace(whole, headers={**whole.headers, "content-type": content_type}))
            k.equal(f"status of {content_type}", wire.status, h.driver.media_status)
            k.equal(f"runs of {content_type}", len(h.runs) - before, 0)
        for content_type in _SAME_TYPE:
            whole = h.inbound(Turn(text=(said := k.nonce())))
            if whole.headers.get("content-type") == "application/json":
                await h.wire(replace(whole, headers={**whole.headers, "content-type": content_type}))
                k.equal(f"runs of {content_type}", [run.text for run in h.runs].count(said), 1)


@rule("HC-ERR-003", needs=["http"], why="whoever can send without end can fill the memory of the server")
async def large_bodies_are_cut_off(k: Kit) -> None:
    """A body that never ends is refused as soon as it passes the limit."""
    async with k.host(Echo(), limits=HostLimits(max_body_bytes=_LIMIT)) as h:
        await _an_ordinary_turn(k, h)
        inbound, sent = h.inbound(Turn(text=k.nonce())), [0]
        bridge = BridgeOptions(raise_app_errors=False, await_app=False, grace=0)
        try:
            async with asyncio.timeout(_PATIENCE):
                content = _without_end(inbound.body, sent)
                answer = await h.exchange(inbound, bridge, content=content)
                observed = answer.status_code
                await answer.aclose()
        except TimeoutError:
            observed = f"none, after {sent[0]} bytes"
        k.equal(f"status of a body that goes on beyond {_LIMIT} bytes", observed, 413)
        most = _LIMIT + _SLACK * _PIECE
        k.check("bytes that were read", sent[0] <= most, expected=f"at most {most}", observed=sent[0])
        k.equal("runs of it", len(h.runs), 1)
        await _an_ordinary_turn(k, h)


async def _without_end(body: bytes, sent: list[int]) -> AsyncIterator[bytes]:
    """The body, then blanks; after four times the limit nothing comes any more, and no end either."""
    piece = body
    while sent[0] < 4 * _LIMIT:
        sent[0] += len(piece)
        yield piece
        piece = b" " * _PIECE
    await asyncio.Event().wait()


@rule(
    "HC-ERR-004",
    needs=["http"],
    why="who gets a field wrong must learn which; clients of next year send more",
)
async def wrong_fields_are_named(k: Kit) -> None:
    """A required field that is missing or of another type is named; fields that nobody knows do no harm."""
    async with k.host(Echo()) as h:
        await _an_ordinary_turn(k, h)
        for field, inbound in ask_driver(h.driver.wrong_fields, "wrong_fields()").items():
            before = len(h.runs)
            wire = await h.wire(inbound)
            if k.equal(f"status with a wrong {field}", wire.status, h.driver.malformed_status):
                outs = await h.decode(wire)
                told = wire.status >= 400 or any(isinstance(out, Error) for out in outs)
                k.check(f"an error for a wrong {field}", told, expected="an error", observed=outs)
            named = field in wire.body.decode(errors="replace")
            k.check(f"the answer names {field}", named, expected=field, observed=wire.body)
            k.equal(f"runs with a wrong {field}", len(h.runs) - before, 0)
        reply = await h.turn(said := k.nonce(), extra={f"x_{k.nonce()}": {"deep": [1, None, "x"]}})
        k.check(
            "a turn with an unknown field is answered",
            said in reply.text,
            expected=said,
            observed=reply.status,
        )


async def _an_ordinary_turn(k: Kit, h: HostedChannel) -> None:
    reply = await h.turn(said := k.nonce())
    k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text or reply.status)
