"""HC-RESPHOOK: the app's last word before anything is shown."""

from __future__ import annotations

from typing import Any

from agent_framework import AgentResponse, Message

from hosting import HostedRunResult

from ...targets.scripted import Scripted
from ..kit import Kit
from ..registry import rule


@rule("HC-RESPHOOK-002", needs=["hooks"], why="a redaction that is not rendered leaks what it should hide")
async def the_returned_result_is_rendered(k: Kit) -> None:
    """The hooked text is shown, once, and the target's own is not; streamed or not."""
    original, hooked = k.nonce(), k.nonce()

    def response_hook(result: HostedRunResult[Any]) -> HostedRunResult[Any]:
        response: AgentResponse[Any] = AgentResponse(messages=[Message("assistant", [hooked])])
        return result.replace(result=response)

    for stream in (False, True) if k.claim("streaming").runs else (False,):
        async with k.host(Scripted(original), options={"response_hook": response_hook}) as h:
            reply = await h.turn(stream=stream)
        how = "streamed" if stream else "one-shot"
        k.equal(f"the {how} answer", reply.texts, [hooked])
        ends = [list(end.texts) for end in reply.terminals if end.texts is not None]
        if ends:
            k.equal(f"the texts in the {how} end", ends, [[hooked]])
