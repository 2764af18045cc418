"""HC-STREAM: what a stream adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_framework import Message

from ...targets import steps
from ...targets.scripted import Scripted
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..registry import rule

_DIFFERS = "a differing replacement"
_TOOL: list[steps.Step] = [steps.ToolCall("tool", {"a": 1}), steps.ToolResult("result")]

_SCRIPTS: dict[str, list[steps.Step]] = {
    "plain pieces": ["Hel", "lo ", "wor", "ld"],
    "white space at both ends": ["  lead", " and trail \n"],
    "equal pieces, one after the other": ["ha", "ha", "\n", "\n", "ha"],
    "pieces of white space": ["one", "\n\n", "two", " ", "three", "\n"],
    "an equal replacement": ["one ", "two", steps.Replace("one two")],
    "a longer replacement": ["one ", steps.Replace("one two")],
    _DIFFERS: ["one two", steps.Replace("three")],
    "text around a tool call": ["before ", *_TOOL, "after"],
    "two messages": ["first", steps.NextMessage(), "second"],
    "text around a tool call, all in one update": [
        steps.Together([steps.Delta("before "), steps.ToolCall("tool", {"a": 1}), steps.Delta("after")])
    ],
    "reasoning before text": [steps.Reasoning("thinking"), "said"],
    "empty pieces": ["", "text", ""],
}

_REPLACED: dict[str, tuple[list[steps.Step], Sequence[str]]] = {
    "an equal replacement": (["one ", "two", steps.Replace("one two")], ["one", "two"]),
    "a longer replacement": (["one ", steps.Replace("one two")], ["one", "two"]),
    _DIFFERS: (["one ", steps.Replace("two")], ["two"]),
    "a replacement after a tool call": (
        ["one ", *_TOOL, "two ", steps.Replace("two three")],
        ["one", "two", "three"],
    ),
    "a replacement after reasoning": (
        ["one ", steps.Reasoning("hm"), "two ", steps.Replace("two three")],
        ["one", "two", "three"],
    ),
    "a replacement in a second message": (
        ["one ", steps.NextMessage(), "two ", steps.Replace("two three")],
        ["one", "two", "three"],
    ),
}


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


@rule(
    "HC-STREAM-006",
    needs=["streaming"],
    why="real models end a text by sending it all again, as a replacement",
)
async def a_replacement_replaces(k: Kit) -> None:
    """No text comes twice, and none is lost."""
    for name, (script, words) in _REPLACED.items():
        tokens = {word: k.nonce()[:8] for word in ("one", "two", "three")}
        spoken = [_renamed(step, tokens) for step in script]
        async with k.host(Scripted(*spoken)) as h:
            stream = await h.turn(stream=True)
        text = stream.text
        counts = {word: text.count(tokens[word]) for word in words}
        k.equal(f"{name}: how often each text appears", counts, dict.fromkeys(words, 1))


def _renamed(step: steps.Step, tokens: dict[str, str]) -> steps.Step:
    """The step with words that nobody can guess."""
    match step:
        case str():
            return _spoken(step, tokens)
        case steps.Replace(text):
            return steps.Replace(_spoken(text, tokens))
        case _:
            return step


def _spoken(text: str, tokens: dict[str, str]) -> str:
    for word, token in tokens.items():
        text = text.replace(word, token)
    return text


@rule("HC-STREAM-013", needs=["streaming"], why="a client that turns streaming on must get the same service")
async def streamed_and_one_shot_are_equivalent(k: Kit) -> None:
    """The same script says the same, asks the same, fails alike and leaves the same session, streamed or not."""
    for name, script in _compared(k).items():
        async with k.host(Scripted.turns(script, "second turn", "third turn")) as h:
            whole, streamed = [await _abstract(k, h, stream, name) for stream in (False, True)]
        for what, expected in whole.items():
            k.equal(f"{name}: {what} of the stream", streamed[what], expected)


def _compared(k: Kit) -> dict[str, list[steps.Step]]:
    scripts: dict[str, list[steps.Step]] = {
        "a plain answer": ["one ", "two"],
        "a tool call": ["before ", *_TOOL, "after"],
        "two messages": ["first", steps.NextMessage(), "second"],
        "an answer that was cut off": ["as far as it", steps.Finish("length")],
        "a failure at once": [steps.Fail(RuntimeError("at once"))],
        "a failure in the middle": ["one ", steps.Fail(RuntimeError("in the middle"))],
    }
    if k.claim("approvals").runs:
        scripts["a request"] = [steps.Approval("tool")]
    return scripts


async def _abstract(k: Kit, h: HostedChannel, stream: bool, name: str) -> dict[str, Any]:
    place = {"user": "bob" if stream else "ann", "conversation": f"{stream}"}
    before = len(h.runs)
    reply = await h.turn(stream=stream, **place)
    asks = len(ask_driver(lambda: h.driver.requests(reply), "requests(reply)")) if "request" in name else 0
    after = await h.turn(**place)
    fails = "failure" in name  # and so does the next turn, because the session is as it was
    k.control(fails or bool(after.texts), f"{name}: a turn after it is answered", observed=after.outs)
    return {
        "texts": [] if fails else reply.texts,
        "failure": bool(reply.errors),
        "requests": asks,
        "target runs": len(h.runs) - before,
        "next turn": bool(after.errors) if fails else after.texts,
    }
