"""HC-RESPHOOK: how often the hook is called, with what, and what becomes of a turn in which it raises."""

from __future__ import annotations

from typing import Any

from agent_framework import AgentResponse, Content, normalize_messages

from hosting import ChannelResponseContext, HostedRunResult

from ...targets import steps
from ...targets.agent import Run, Updates
from ...targets.counting import Counting
from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule
from ..shown import seen, told


class _Calls:
    """A response hook that keeps what it was given."""

    def __init__(self) -> None:
        self.results: list[HostedRunResult[Any]] = []
        self.contexts: list[ChannelResponseContext] = []

    def __call__(
        self, result: HostedRunResult[Any], *, context: ChannelResponseContext
    ) -> HostedRunResult[Any]:
        self.results.append(result)
        self.contexts.append(context)
        return result

    @property
    def types(self) -> list[str]:
        """The kinds of content that the last result held."""
        response: AgentResponse[Any] = self.results[-1].result
        contents: list[Content] = [content for message in response.messages for content in message.contents]
        return [content.type for content in contents]


@rule(
    "HC-RESPHOOK-001", needs=["hooks"], why="a hook that sees half a result, or sees it twice, redacts half"
)
async def the_hook_sees_the_whole_result_once(k: Kit) -> None:
    """Once per turn, streamed or not, with every content and a true context."""
    script = [steps.ToolCall("tool", {"a": 1}), steps.ToolResult("result"), k.nonce()]
    for stream in (False, True) if k.claim("streaming").runs else (False,):
        calls = _Calls()
        async with k.host(Scripted(*script), options={"response_hook": calls}) as h:
            await h.turn(said := k.nonce(), stream=stream)
            name = h.env.name
        how = "a streamed turn" if stream else "a turn"
        k.equal(f"calls of the hook for {how}", len(calls.results), 1)
        k.equal(
            f"contents that the hook saw of {how}", calls.types, ["function_call", "function_result", "text"]
        )
        context = calls.contexts[-1]
        place = context.channel_name, context.destination.channel, context.originating
        k.equal(f"channel, destination and origin in the context of {how}", place, (name, name, True))
        asked = " ".join(message.text for message in normalize_messages(context.request.input))
        k.check(f"the request in the context of {how}", said in asked, expected=said, observed=asked)


@rule(
    "HC-RESPHOOK-004",
    needs=["hooks"],
    why="a redaction that fails must not let through what it would have hidden",
)
async def a_raising_hook_shows_nothing(k: Kit) -> None:
    """An opaque error with an id; nothing of the unhooked output; the next turn counts on from before."""
    secret = k.nonce()
    for stream in (False, True) if k.claim("streaming").runs else (False,):
        hook = _FailsOnce(f"canary {secret}")
        how = "streamed" if stream else "one-shot"
        async with k.host(_Saying(output := k.nonce()), options={"response_hook": hook}) as h:
            reply = await h.turn(stream=stream)
            k.equal(f"{how}: runs", len(h.runs), 1)
            k.check(f"{how}: something is told", bool(told(reply)), observed=reply.wire)
            k.check(f"{how}: nothing of the output is shown", output not in seen(reply.wire), observed=output)
            k.check(f"{how}: the error's text stays inside", secret not in seen(reply.wire), observed=secret)
            k.equal(f"{how}: the next turn", (await h.turn(stream=stream)).text, f"turn 1 {output}")


class _Saying(Counting):
    """Counts, and says a text of its own behind the number."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.said = text

    async def answer(self, run: Run) -> Updates:
        async for update in super().answer(run):
            yield update
        yield run.update(f" {self.said}")


class _FailsOnce:
    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, result: HostedRunResult[Any]) -> HostedRunResult[Any]:
        text, self.text = self.text, ""
        if text:
            raise RuntimeError(text)
        return result
