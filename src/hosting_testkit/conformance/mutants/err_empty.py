"""Channels that cannot bear a target without anything to say."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from hosting import ChannelRequest, HostedRunResult, HostedStreamResult

from ...simulators import BotLimits, BotPlatform
from ...transports.asgi import ASGIApp
from ..reference import BotChannel, BotDriver, RpcChannel
from ..reference.bot_replies import TEXT_LIMIT
from .model import mutant


@mutant(
    "asks-again",
    defect="asks the target again until it says something, twice at most",
    kills={"HC-ERR-008": "no updates, one-shot: runs: FAILED"},
)
class AsksAgain(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        if self.items(result):
            return result
        return await super().run(turn.replace(response_id=f"{turn.response_id}-again"), body)


@mutant(
    "empty-500",
    defect="takes the first item of an answer, which need not be there",
    kills={"HC-ERR-008": "no updates, one-shot: status: FAILED"},
)
class Empty500(RpcChannel):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        first, *others = super().items(result)
        return [first, *others]


@mutant(
    "empty-text",
    defect="says in words that there is nothing to say",
    kills={"HC-ERR-008": "no updates, one-shot: what is said: FAILED"},
)
class EmptyText(RpcChannel):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return super().items(result) or ["(no answer)"]


class _SaysNothing(RpcChannel):
    """Looks for streams without any text."""

    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        said = False
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                said = said or b"event: delta" in frame
                if said:
                    yield frame
        if not said:
            for frame in self.ending():
                yield frame

    def ending(self) -> Sequence[bytes]:
        raise NotImplementedError


@mutant(
    "empty-stream-error",
    defect="ends a stream without text by an error",
    kills={"HC-ERR-008": "no updates, streamed: errors: FAILED"},
)
class EmptyStreamError(_SaysNothing):
    def ending(self) -> Sequence[bytes]:
        return [self.frame("error", {"code": "empty", "message": "There is no answer."})]


@mutant(
    "empty-stream-eof",
    defect="sends nothing at all for a stream without text",
    kills={"HC-ERR-008": "no updates, streamed: terminal events: FAILED"},
)
class EmptyStreamEof(_SaysNothing):
    def ending(self) -> Sequence[bytes]:
        return []


class _AlwaysSends(BotChannel):
    def messages(self, payload: HostedRunResult[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from list(super().messages(payload)) or [("sendMessage", {"text": ""})]


@mutant(
    "empty-bubble",
    defect="sends an empty message, and has a simulator that takes it",
    kills={"HC-ERR-008": "an empty text, one-shot: messages: FAILED"},
)
class EmptyBubble(BotDriver):
    channel_class = _AlwaysSends

    def platform(self) -> ASGIApp:
        limits = BotLimits(text=TEXT_LIMIT, per_chat=None, per_group=None, overall=None)
        self.sim = BotPlatform(token="t" * 32, limits=limits, lenient=["text_empty"])
        return self.sim.app
