"""Channels that come between the stream hook and the wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from agent_framework import AgentResponseUpdate, Content

from hosting import HostedRunResult, HostedStreamResult
from hosting.hooks import call_hook

from ..reference import RpcChannel
from .model import mutant


class _BetweenHookAndHost(RpcChannel):
    """Wraps the app's hook in one of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.app_hook: Any = self.stream_update_hook
        if self.app_hook is not None:
            self.stream_update_hook = self.wrapped

    async def wrapped(self, update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        return await call_hook(self.app_hook, update)


@mutant("streamhook-batched", kills={"HC-STREAMHOOK-001": "updates that the hook saw: FAILED"})
class StreamHookBatched(_BetweenHookAndHost):
    waiting: AgentResponseUpdate | None = None

    async def wrapped(self, update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        if self.waiting is None:
            self.waiting = update
            return None
        both = [Content.from_text(self.waiting.text + update.text)]
        self.waiting = None
        return await super().wrapped(AgentResponseUpdate(contents=both, role="assistant"))


@mutant("streamhook-reorder", kills={"HC-STREAMHOOK-001": "the text that is shown: FAILED"})
class StreamHookReorder(_BetweenHookAndHost):
    late: AgentResponseUpdate | None = None

    async def wrapped(self, update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        hooked = await super().wrapped(update)
        if self.late is None:
            self.late = hooked
            return None
        first, self.late = self.late, None
        text = (hooked.text if hooked else "") + first.text
        return AgentResponseUpdate(contents=[Content.from_text(text)], role="assistant")


@mutant("streamhook-none-crash", kills={"HC-STREAMHOOK-002": "the end without one: FAILED"})
class StreamHookNoneCrash(_BetweenHookAndHost):
    async def wrapped(self, update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        hooked: Any = await super().wrapped(update)
        self.last_text: str = hooked.text
        return hooked


@mutant("streamhook-drop-terminal", kills={"HC-STREAMHOOK-002": "the end without five: FAILED"})
class StreamHookDropsTerminal(_BetweenHookAndHost):
    dropped = False

    async def wrapped(self, update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        hooked = await super().wrapped(update)
        self.dropped = hooked is None
        return hooked

    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                if not (self.dropped and frame.startswith(b"event: done")):
                    yield frame


@mutant("streamhook-ignored", kills={"HC-STREAMHOOK-003": "the text that is shown, sync hook: FAILED"})
class StreamHookIgnored(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        try:
            async for event in stream.raw_events:
                yield self.frame("delta", {"id": stream.response_id, "n": 0, "item": 0, "text": event.text})
            result = await stream.result()
            yield self.done(result, self.items(result))
        finally:
            await self.close(stream)


@mutant("streamhook-raise-truncates", kills={"HC-STREAMHOOK-004": "ends of the stream: FAILED"})
class StreamHookRaiseTruncates(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                if not frame.startswith(b"event: error"):
                    yield frame


@mutant(
    "streamhook-hole-shown",
    defect="shows that something was taken out where the hook dropped an update",
    kills={"HC-STREAMHOOK-002": "the text without three: FAILED"},
)
class StreamHookHoleShown(_BetweenHookAndHost):
    async def wrapped(self, update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        hooked = await super().wrapped(update)
        if hooked is not None or not update.text:
            return hooked
        return AgentResponseUpdate(contents=[Content.from_text("[removed]")], role="assistant")


@mutant(
    "streamhook-raise-completes",
    defect="ends the stream as if all were well when the hook fails",
    kills={"HC-STREAMHOOK-004": "the end tells a failure: FAILED"},
)
class StreamHookRaiseCompletes(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                yield self.ended_well(stream) if frame.startswith(b"event: error") else frame

    def ended_well(self, stream: HostedStreamResult) -> bytes:
        return self.done(HostedRunResult(None, response_id=stream.response_id), [])


@mutant(
    "streamhook-raise-passes",
    defect="shows an update as it is when the hook fails on it",
    kills={"HC-STREAMHOOK-004": "the next turn: FAILED"},
)
class StreamHookRaisePasses(_BetweenHookAndHost):
    async def wrapped(self, update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        try:
            return await super().wrapped(update)
        except Exception:
            return update


@mutant(
    "streamhook-raise-late",
    defect="lets the target talk on when the hook fails, and tells the failure at its end",
    kills={"HC-STREAMHOOK-004": "the target's stream: FAILED"},
)
class StreamHookRaiseLate(_BetweenHookAndHost):
    failed = False

    async def wrapped(self, update: AgentResponseUpdate) -> AgentResponseUpdate | None:
        try:
            return await super().wrapped(update)
        except Exception:
            self.failed = True
            return None

    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        error = self.frame("error", {"code": "internal_error", "message": "Internal error."})
        return error if self.failed else super().done(result, items)
