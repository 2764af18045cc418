"""HC-ERR: what turns that fail, or that have nothing to say, do to those after them."""

from __future__ import annotations

from ...drivers.turn import Turn
from ...drivers.wire import Reply
from ...targets import steps
from ...targets.agent import FakeAgent, Run, Updates
from ...targets.echo import Echo
from ...targets.misbehaving import Failing
from ...targets.scripted import Scripted
from ..hosted import HostedChannel
from ..kit import Kit
from ..registry import rule
from ..shown import logged_id, seen, told

_LONGEST = 300  # characters of an apology
_RETRIES = 10.0  # virtual seconds


class _Moody(FakeAgent):
    """Echoes; told to fail it raises, before or after its first words."""

    async def answer(self, run: Run) -> Updates:
        if run.text.startswith("fail early"):
            raise RuntimeError("the target fails")
        yield run.update(run.text)
        if run.text.startswith("fail late"):
            raise RuntimeError("the target fails")


@rule("HC-ERR-008", why="an empty bubble looks broken, and most platforms refuse it")
async def an_empty_answer_is_no_message(k: Kit) -> None:
    """A target without anything to say, or with blanks: no error, no empty message, and an end."""
    streams = (False, True) if k.claim("streaming").runs else (False,)
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text)
    for name, target in {"no updates": Scripted(), "an empty text": Scripted("")}.items():
        for stream in streams:
            where = f"{name}, {'streamed' if stream else 'one-shot'}"
            async with k.host(target) as h:
                reply = await h.turn(k.nonce(), stream=stream)
            k.equal(f"{where}: runs", len(h.runs), 1)
            k.check(f"{where}: status", reply.status < 300, expected="2xx", observed=reply.status)
            k.equal(f"{where}: errors", reply.errors, [])
            k.equal(f"{where}: what is said", reply.text, "")
            if stream and not k.claim("edits").runs:
                k.equal(f"{where}: terminal events", len(reply.terminals), 1)
            if k.claim("messaging").runs:
                k.equal(f"{where}: messages", reply.texts, [])
                k.equal(f"{where}: calls that the platform refused", _refused(reply), [])
    for stream in streams:
        await _blanks_hide_nothing(k, stream)


async def _blanks_hide_nothing(k: Kit, stream: bool) -> None:
    """White space that stands alone, as models say it before a tool call, is no message, and the rest is shown."""
    one, two = k.nonce(), k.nonce()
    looks: list[steps.Step] = [steps.ToolCall("look"), steps.ToolResult("found")]
    scripts: dict[str, list[steps.Step]] = {
        "a blank": ["\n\n"],
        "a blank before a tool call": ["\n\n", *looks, one],
        "a blank between two texts": [one, *looks, " \n", *looks, two],
    }
    for name, script in scripts.items():
        async with k.host(Scripted(*script)) as h:
            reply = await h.turn(k.nonce(), stream=stream)
        where = f"{name}, {'streamed' if stream else 'one-shot'}"
        said = [text for text in (one, two) if text in script]
        k.equal(f"{where}: texts beside it", [text for text in said if text in reply.text], said)
        if k.claim("messaging").runs:
            k.equal(f"{where}: calls that the platform refused", _refused(reply), [])


def _refused(reply: Reply) -> list[str]:
    calls = [call for call in reply.wire.calls if call.status >= 400]
    return [f"{call.path}, {call.status}: {call.answer[:200].decode(errors='replace')}" for call in calls]


@rule("HC-ERR-014", why="one bad turn must not end the service for everybody")
async def failures_do_not_spread(k: Kit) -> None:
    """After each kind of failure the same conversation and another one go on."""
    failures = {"a failure before the first output": "fail early", "a failure after it": "fail late"}
    streams = (False, True) if k.claim("streaming").runs else (False,)
    async with k.host(_Moody()) as h:
        await _answered(k, h, "here")
        for name, text in failures.items():
            for stream in streams:
                before = len(h.runs)
                failed = await h.turn(f"{text} {k.nonce()}", conversation="here", stream=stream)
                k.control(len(h.runs) > before, f"{name}: the turn runs", observed=failed.status)
                for conversation in ("here", "there"):
                    reply = await h.turn(said := k.nonce(), conversation=conversation, stream=stream)
                    where = "the same" if conversation == "here" else "another"
                    what = f"{name}{', streamed' if stream else ''}: the next turn in {where} conversation"
                    k.check(what, said in reply.text, expected=said, observed=told(reply) or reply.status)


async def _answered(k: Kit, h: HostedChannel, conversation: str) -> None:
    reply = await h.turn(said := k.nonce(), conversation=conversation)
    k.control(said in reply.text, "an ordinary turn is answered", observed=reply.text or reply.status)


@rule(
    "HC-ERR-017",
    needs=["messaging"],
    why="people wait for an answer; silence and stack traces both lose them",
)
async def a_failed_turn_shows_one_apology(k: Kit) -> None:
    """One short text with the id that is in the log, in the app's own words where it has some."""
    secret, words = k.nonce(), k.nonce()
    for name, options in {"by default": {}, "configured": {"apology": f"{words} {{id}}"}}.items():
        k.logs.clear()
        async with k.host(Failing(RuntimeError(secret)), options=options) as h:
            async with h.open(h.inbound(Turn(text=k.nonce()))) as opened:
                await opened.finished()
                await opened.shows(lambda reply: len(reply.texts) > 1, within=_RETRIES)
                reply = await opened.reply()
            k.control(len(h.runs) > 0, "the failing turn runs", observed=reply.status)
        shown = reply.text
        k.equal(f"{name}: messages", len(reply.texts), 1)
        k.check(f"{name}: it is short", len(shown) <= _LONGEST, expected=_LONGEST, observed=len(shown))
        found = logged_id(shown, k.logs)
        k.check(f"{name}: an id that is in the log", found is not None, expected="an id", observed=shown)
        leaked = [trace for trace in (secret, "Error", ".py") if trace in seen(reply.wire)]
        k.equal(f"{name}: what it tells of the exception", leaked, [])
        if options:
            k.check("the app's own words", words in shown, expected=words, observed=shown)
