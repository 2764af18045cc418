"""HC-STREAM: how streams end, and what they survive."""

from __future__ import annotations

from collections.abc import Mapping

from hosting import HostLimits

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets import steps
from ...targets.scripted import Scripted
from ..hosted import ask_driver
from ..kit import Kit
from ..registry import rule

_DRAIN = 5.0

_NOT_TEXT: Mapping[str, steps.Step] = {
    "a tool call": steps.ToolCall("tool", {"a": 1}, split=3),
    "a tool result": steps.ToolResult({"b": [1, None]}),
    "an image": steps.Media(),
    "a sound": steps.Media(b"RIFF", "audio/wav"),
    "reasoning": steps.Reasoning("thinking"),
    "usage": steps.Usage(3, 4),
    "a refusal": steps.Refusal("I will not"),
    "a reason to stop": steps.Finish("stop"),
}


@rule(
    "HC-STREAM-005",
    needs=["streaming"],
    unless=["edits"],
    why="a client must know whether to show, to retry, to ask, or to give up",
)
async def endings_can_be_told_apart(k: Kit) -> None:
    """However a run ends, the stream says so, and each way differs from the others."""
    scripts: dict[str, list[steps.Step]] = {
        "completed": ["said"],
        "incomplete": ["said", steps.Finish("length")],
        "failed": ["said", steps.Fail(RuntimeError("in the middle"))],
    }
    if k.claim("approvals").runs:
        scripts["waiting for input"] = ["said ", steps.Approval("tool")]
    ends = {name: await _ending(k, name, script) for name, script in scripts.items()}
    if k.claim("cancel").runs:
        ends["cancelled"] = await _cancelled(k)
    for name, end in ends.items():
        alike = [other for other, seen in ends.items() if other != name and seen == end]
        k.equal(f"endings that look like a {name} stream", alike, [])
    await _shut_down(k, ends["completed"])


async def _shut_down(k: Kit, completed: tuple[object, ...]) -> None:
    """A host that can wait no longer says so, and does not just hang up."""
    target = Scripted("said", steps.Stop("middle"))
    limits = HostLimits(drain_timeout=_DRAIN)
    async with k.host(target, limits=limits) as h, h.open(h.inbound(Turn(stream=True))) as opened:
        await target.gates.reached("middle")
        await opened.shows(lambda reply: "said" in reply.text)
        await h.shutdown()
        await opened.finished()
        reply = await opened.reply()
    end = _seen(k, "shut down", reply, False)
    k.check("it does not end as a whole answer does", end != completed, expected="another end", observed=end)


async def _ending(k: Kit, name: str, script: list[steps.Step]) -> tuple[object, ...]:
    async with k.host(Scripted(*script)) as h:
        reply = await h.turn(stream=True)
        asks = "waiting" in name and bool(ask_driver(lambda: h.driver.requests(reply), "requests(reply)"))
    if name == "completed":
        k.control("said" in reply.text, "a plain answer is streamed", observed=reply.text)
    return _seen(k, name, reply, asks)


async def _cancelled(k: Kit) -> tuple[object, ...]:
    target = Scripted("said", steps.Stop("middle"))
    async with k.host(target) as h:
        turn = Turn(stream=True)
        async with h.open(h.inbound(turn)) as opened:
            await target.gates.reached("middle")
            await opened.shows(lambda reply: "said" in reply.text)
            so_far = await opened.reply()
            await h.wire(ask_driver(lambda: h.driver.cancel(turn, so_far), "cancel(turn, reply)"))
            await opened.shows(lambda reply: reply.wire.complete)
            reply = await opened.reply()
    return _seen(k, "cancelled", reply, False)


def _seen(k: Kit, name: str, reply: Reply, asks: bool) -> tuple[object, ...]:
    k.equal(f"terminal events of a {name} stream", len(reply.terminals), 1)
    return ([end.status for end in reply.terminals], [error.code for error in reply.errors], asks)


@rule("HC-STREAM-007", needs=["streaming"], why="a model that says nothing has still answered")
async def an_empty_stream_is_an_answer(k: Kit) -> None:
    """No update at all, and one without contents, end as a plain answer does, with nothing said."""
    async with k.host(Scripted("said")) as h:
        plain = await h.turn(stream=True)
        k.control("said" in plain.text, "a plain answer is streamed", observed=plain.text)
    for name, script in {"no updates": [], "an update without contents": [steps.Finish("stop")]}.items():
        async with k.host(Scripted(*script)) as h:
            reply = await h.turn(stream=True)
        k.equal(f"{name}: the text", reply.text.strip(), "")
        ends = [[end.status for end in seen.terminals] for seen in (reply, plain)]
        k.equal(f"{name}: how the stream ends", ends[0], ends[1])


@rule(
    "HC-STREAM-008",
    needs=["streaming"],
    why="agents call tools, think and show pictures in the middle of a text",
)
async def other_content_does_not_break_the_stream(k: Kit) -> None:
    """Each kind of content between two texts: both come, and the stream ends as a plain one does."""
    async with k.host(Scripted("said")) as h:
        plain = await h.turn(stream=True)
    for name, step in _NOT_TEXT.items():
        before, after = k.nonce()[:8], k.nonce()[:8]
        async with k.host(Scripted(before, step, after)) as h:
            reply = await h.turn(stream=True)
        places = [reply.text.find(word) for word in (before, after)]
        k.check(
            f"{name}: the texts around it", 0 <= places[0] < places[1], expected="both", observed=reply.texts
        )
        ends = [[end.status for end in seen.terminals] for seen in (reply, plain)]
        k.equal(f"{name}: how the stream ends", ends[0], ends[1])
