"""Channels that do not fold updates as core does."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from hosting import HostedRunResult, HostedStreamResult, HostingError
from hosting.messaging import StreamedItems

from ..reference import RpcChannel
from .model import mutant


@mutant("delta-final-skew", kills={"HC-STREAM-003": "items in the end of the stream"})
class DeltaFinalSkew(RpcChannel):
    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        return super().done(result, [item.strip() for item in items])


@mutant("append-only", kills={"HC-STREAM-006": "an equal replacement: how often each text appears: FAILED"})
@mutant(
    "replace-adds",
    defect="adds a replacement to the text that it replaces",
    kills={"HC-STREAM-003": "an equal replacement: items of the stream: FAILED"},
)
class ReplaceAdds(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        try:
            async for update in stream:
                yield self.frame("delta", {"item": 0, "text": update.text})
            result = await stream.result()
            yield self.done(result, self.items(result))
        finally:
            await self.close(stream)


@mutant(
    "one-event-an-update",
    defect="sends all texts of an update in one event, under the number of the last",
    kills={"HC-STREAM-003": "text around a tool call, all in one update: items of the stream: FAILED"},
)
class OneEventAnUpdate(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        items, numbers = StreamedItems(), self.numbers()
        try:
            async for update in stream:
                if pieces := list(items.add(update)):
                    text = "".join(piece for _, piece in pieces)
                    place = {"id": stream.response_id, "n": next(numbers), "item": pieces[-1][0]}
                    yield self.frame("delta", {**place, "text": text})
            yield self.done(await stream.result(), items.texts)
        except HostingError as error:
            yield self.frame("error", {"code": error.code, "message": error.message})
        finally:
            await self.close(stream)


@mutant(
    "replace-by-message-id",
    kills={"HC-STREAM-006": "a replacement after a tool call: how often each text appears: FAILED"},
)
class ReplaceByMessageId(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        messages: dict[str | None, str] = {}
        try:
            async for update in stream:
                for content in update.contents:
                    if content.type != "text" or update.role == "tool":
                        continue
                    text, before = content.text or "", messages.get(update.message_id, "")
                    if content.merge_mode == "replace":
                        messages[update.message_id] = text
                        text = text.removeprefix(before)
                    else:
                        messages[update.message_id] = before + text
                    yield self.frame("delta", {"item": 0, "text": text})
            yield self.done(await stream.result(), list(messages.values()))
        finally:
            await self.close(stream)


@mutant("stream-drops-tool", kills={"HC-STREAM-013": "a tool call: texts of the stream: FAILED"})
class StreamDropsTool(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        items = StreamedItems()
        try:
            tools = False
            async for update in stream:
                tools = tools or update.role == "tool"
                for item, text in () if tools else items.add(update):
                    yield self.frame("delta", {"item": item, "text": text})
            yield self.done(await stream.result(), items.texts)
        finally:
            await self.close(stream)
