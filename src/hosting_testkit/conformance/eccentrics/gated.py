"""Odd ways to let people wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from hosting import HostedStreamResult, HostingError, HostLimits

from ...drivers import IMPOSSIBLE, NOT_IMPLEMENTED, Out, Text
from ..reference import RpcChannel, RpcDriver
from .model import eccentric

_AT_THE_END = NOT_IMPLEMENTED("events hold nothing before the end")


class _ReadsTheEnd(RpcDriver):
    """Reads the answer off the last event."""

    def told(self, kind: str, data: Mapping[str, Any]) -> Sequence[Out]:
        texts = [Text(text) for text in data["items"]] if kind == "done" else []
        return [*texts, *super().told(kind, data)]


@eccentric(
    "gated-stream",
    "says in an event stream what others say in one answer",
    base=_ReadsTheEnd,
    capabilities=RpcDriver.capabilities.but(
        streaming=_AT_THE_END,
        sequence_numbers=_AT_THE_END,
        cancel=IMPOSSIBLE("the id of an answer comes with its end"),
    ),
)
class GatedStream(RpcChannel):
    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        try:
            result = await stream.result()
            yield self.done(result, self.items(result))
        except HostingError as error:
            yield self.frame("error", {"code": error.code, "message": error.message})
        finally:
            await self.close(stream)


@eccentric("rejecting-app", "is made for apps that refuse a turn with 409 while its session is busy")
class RejectingApp(RpcDriver):
    limits = HostLimits(turn_policy="reject")


@eccentric("one-slot-app", "is made for apps that run one turn at a time")
class OneSlotApp(RpcDriver):
    limits = HostLimits(max_concurrent_runs=1)
