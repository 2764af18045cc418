"""HC-OBS: the span of a turn."""

from __future__ import annotations

import asyncio

from opentelemetry import trace
from opentelemetry.trace import StatusCode
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...drivers.turn import Inbound, Turn
from ...targets.agent import FakeAgent, Run, Updates
from ...transports.asgi import BridgeOptions
from ..hand_reader import read_by_hand
from ..hosted import SETTLE, HostedChannel
from ..kit import Kit
from ..records import everything_said
from ..registry import rule
from ..spans import KeptSpan, captured_spans

_TRACE, _PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
_TURN, _TARGET = "hosting.turn", "kit.target"


class _Traced(FakeAgent):
    """Echoes in pieces, a span around each; told to fail it fails then, told to wait it never ends."""

    async def answer(self, run: Run) -> Updates:
        for piece in (run.text, " and", " more"):
            trace.get_tracer("kit").start_span(_TARGET).end()
            yield run.update(piece)
        if run.text.startswith("fail"):
            raise RuntimeError("the target fails")
        while run.text.startswith("wait"):
            await asyncio.sleep(0.5)
            yield run.update(" and more")


@rule("HC-OBS-001", why="a trace that breaks at the channel hides who asked and what it cost")
async def a_turn_is_one_span_in_its_callers_trace(k: Kit) -> None:
    """One span for each turn, under the caller's, with channel, operation and outcome; the target's lie below it."""
    streams = (False, True) if k.claim("streaming").runs else (False,)
    with captured_spans() as kept:
        async with k.host(_Traced()) as h:
            for stream in streams:
                how = "streamed" if stream else "one-shot"
                kept.spans.clear()
                turn = h.inbound(Turn(text=(said := k.nonce()), stream=stream))
                traced = turn.with_headers({"traceparent": f"00-{_TRACE}-{_PARENT}-01"})
                outs = await h.decode(await h.wire(traced if turn.to == "channel" else turn))
                k.control(said[:8] in str(outs), f"{how}: the turn is answered", observed=outs)
                turns = kept.named(_TURN)
                k.equal(f"{how}: spans of the turn", len(turns), 1)
                for span in turns[:1]:
                    if turn.to == "channel":
                        k.equal(f"{how}: the span's parent", _place(span), f"{_TRACE}/{_PARENT}")
                    told = [span.attributes.get(f"hosting.{name}") for name in ("channel", "outcome")]
                    k.equal(f"{how}: channel and outcome", told, [h.env.name, "completed"])
                    operation = span.attributes.get("hosting.operation")
                    k.check(f"{how}: the operation", bool(operation), expected="a name", observed=operation)
                    below = [child.child_of(span) for child in kept.named(_TARGET)]
                    k.equal(f"{how}: spans of the target below it", below, [True] * 3)


def _place(span: KeptSpan) -> str:
    parent = span.parent
    return f"{parent.trace_id:032x}/{parent.span_id:016x}" if parent else "none"


@rule(
    "HC-OBS-002",
    why="spans that never end are never exported: the turns that went wrong are the ones that miss",
)
async def every_span_ends(k: Kit) -> None:
    """However a turn ends its spans end once, with the right status, and none is current while others run."""
    seen: list[str] = []
    middleware = [Middleware(_LooksAtSends, seen=seen)]
    with captured_spans() as kept, everything_said() as said:
        async with k.host(_Traced(), middleware=middleware) as h:
            await _ends(k, h, kept.spans, "a whole turn", "hello")
            await _ends(k, h, kept.spans, "a turn that fails", "fail")
            if k.claim("streaming").runs and not k.claim("edits").runs:
                await _ends(k, h, kept.spans, "a streamed turn", "hello", stream=True)
                await _ends(k, h, kept.spans, "a streamed turn that fails", "fail", stream=True)
                for point in (0, 1):
                    name = f"a client that leaves after {point} pieces"
                    await _ends(k, h, kept.spans, name, "wait", stream=True, leave_after=point)
    k.equal("turns that were current while the answer was sent", seen, [])
    detached = [text for text in said.lines if "opentelemetry" in text and "etach" in text]
    k.equal("contexts that were left in another place than they were entered", detached, [])


async def _ends(
    k: Kit,
    h: HostedChannel,
    spans: list[KeptSpan],
    name: str,
    text: str,
    *,
    stream: bool = False,
    leave_after: int | None = None,
) -> None:
    spans.clear()
    inbound = h.inbound(Turn(text=f"{text} {k.nonce()}", stream=stream))
    if leave_after is None:
        await h.wire(inbound)
    else:
        await _leave(h, inbound, leave_after)
    turns = [span for span in spans if span.name == _TURN]
    k.control(len(turns) == 1, f"{name}: there is a span", observed=[span.name for span in spans])
    open_ = sorted({f"{span.name} ended {span.ended} times" for span in spans if span.ended != 1})
    k.equal(f"{name}: spans that did not end once", open_, [])
    outcome = {"hello": "completed", "fail": "failed", "wait": "cancelled"}[text]
    k.equal(f"{name}: the outcome", turns[0].attributes.get("hosting.outcome"), outcome)
    failed = turns[0].status is StatusCode.ERROR
    k.equal(f"{name}: the span is one of an error", failed, outcome == "failed")


async def _leave(h: HostedChannel, inbound: Inbound, pieces: int) -> None:
    bridge = BridgeOptions(window=0, raise_app_errors=False, grace=30.0)
    async with read_by_hand(h, inbound, bridge) as reader:
        for _ in range(pieces):
            await reader.read()
        await asyncio.sleep(0.2)
        reader.leave()
        await asyncio.sleep(SETTLE)


class _LooksAtSends:
    """Middleware that looks which turn is current when a piece of an answer goes out."""

    def __init__(self, app: ASGIApp, seen: list[str]) -> None:
        self._app, self._seen = app, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def looking(message: Message) -> None:
            current = trace.get_current_span()
            if isinstance(current, KeptSpan):
                self._seen.append(current.name)
            await send(message)

        await self._app(scope, receive, looking)
