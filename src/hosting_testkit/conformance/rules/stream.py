"""HC-STREAM: order and framing of what comes piece by piece."""

from __future__ import annotations

from agent_framework import Message

from ...drivers.turn import Turn
from ...targets import steps
from ...targets.misbehaving import Failing
from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule

_DIFFERS = "a differing replacement"

_SCRIPTS: dict[str, list[steps.Step]] = {
    "plain pieces": ["Hel", "lo ", "wor", "ld"],
    "white space at both ends": ["  lead", " and trail \n"],
    "an equal replacement": ["one ", "two", steps.Replace("one two")],
    "a longer replacement": ["one ", steps.Replace("one two")],
    _DIFFERS: ["one two", steps.Replace("three")],
    "text around a tool call": [
        "before ",
        steps.ToolCall("tool", {"a": 1}),
        steps.ToolResult("result"),
        "after",
    ],
    "two messages": ["first", steps.NextMessage(), "second"],
    "reasoning before text": [steps.Reasoning("thinking"), "said"],
    "empty pieces": ["", "text", ""],
}


@rule("HC-STREAM-001", needs=["streaming"], why="people wait for the first word, not for the last")
async def output_leaves_before_the_end(k: Kit) -> None:
    """The first piece is visible while the target still stands at its gate."""
    first, second = k.nonce(), k.nonce()
    target = Scripted(first, steps.Stop("middle"), second)
    async with k.host(target) as h, h.open(h.inbound(Turn(stream=True))) as opened:
        await target.gates.reached("middle")
        early = await opened.shows(lambda reply: first in reply.text)
        target.gates.release_all()
        whole = await opened.shows(lambda reply: second in reply.text)
        observed = (await opened.reply()).text
        k.control(whole, "the whole answer is visible in the end", observed=observed)
        k.check(
            "the first piece is visible before the end",
            early,
            expected=first,
            observed="nothing until the end",
        )


@rule("HC-STREAM-003", needs=["streaming"], why="what is streamed and what is stored must be one answer")
async def the_stream_joins_to_the_one_shot_answer(k: Kit) -> None:
    """Item by item, for every way in which updates fold."""
    for name, script in _SCRIPTS.items():
        async with k.host(Scripted(*script)) as h:
            whole = await h.turn(user="ann")
            stream = await h.turn(user="bob", stream=True)
            folded = await Scripted(*script).run([Message("user", ["hello"])])
        said = [
            content.text or ""
            for message in folded.messages
            for content in message.contents
            if content.type == "text"
        ]
        k.control(
            all(text.strip() in whole.text for text in said),
            f"{name}: the one-shot answer holds every text",
            observed=whole.texts,
        )
        streamed, expected = stream.texts, whole.texts
        if name == _DIFFERS and len(streamed) == len(expected) + 1:
            streamed = streamed[1:]
        k.equal(f"{name}: items of the stream", streamed, expected)
        for end in stream.terminals:
            if end.texts is not None:
                k.equal(f"{name}: items in the end of the stream", list(end.texts), stream.texts)


@rule("HC-STREAM-004", needs=["streaming"], why="clients stop reading at the first terminal event")
async def one_terminal_event(k: Kit) -> None:
    """Exactly one, and nothing after it, however the turn ends."""
    targets = {
        "a plain answer": Scripted("a", "b"),
        "an empty answer": Scripted(),
        "a failure in the middle": Failing(after=2),
    }
    for name, target in targets.items():
        async with k.host(target) as h:
            reply = await h.turn(stream=True)
        if name == "a plain answer":
            k.control(reply.text.startswith("ab"), "the plain answer is streamed", observed=reply.text)
        k.equal(f"terminal events after {name}", len(reply.terminals), 1)
        k.equal(f"events behind the terminal one after {name}", list(reply.after_terminal), [])
