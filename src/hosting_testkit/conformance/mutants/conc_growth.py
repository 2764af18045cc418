"""Channels that grow with each turn."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.requests import Request

from hosting import Caller, ChannelRequest, HostedRunResult, HostedStreamResult, HostingError, InboundEvent

from ..reference import BotChannel, RpcChannel
from .model import mutant

_spoken_to: dict[str, int] = {}


@mutant(
    "per-turn-growth",
    defect="keeps each turn that it has run",
    kills={"HC-CONC-006": "things held more after 16 turns that are answered: FAILED"},
)
class PerTurnGrowth(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.turns: list[ChannelRequest] = []

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        self.turns.append(turn)
        return result


@mutant(
    "counts-people",
    defect="counts what each person says, in a global of its module, for ever",
    kills={"HC-CONC-006": "things held more after 16 turns that are answered: FAILED"},
)
class CountsPeople(BotChannel):
    def request(self, event: InboundEvent) -> ChannelRequest:
        request = super().request(event)
        person = str(request.identity and request.identity.native_id)
        _spoken_to[person] = _spoken_to.get(person, 0) + 1
        return request


@mutant(
    "keeps-failures",
    defect="keeps the error of each turn that failed, for a report that nobody asks for",
    kills={"HC-CONC-006": "things held more after 16 turns that fail: FAILED"},
)
class KeepsFailures(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.failures: list[Exception] = []

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except HostingError as error:
            if error.code != "denied":
                self.failures.append(error)
            raise


@mutant(
    "under-way-when-refused",
    defect="notes a turn as under way, and takes it from the list when it has an answer",
    kills={"HC-CONC-006": "things held more after 16 turns that are refused: FAILED"},
)
class UnderWayWhenRefused(BotChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.under_way: dict[str, InboundEvent] = {}

    async def run(self, request: ChannelRequest, event: InboundEvent) -> HostedRunResult[Any]:
        self.under_way[event.delivery_id] = event
        try:
            result = await super().run(request, event)
        except HostingError as error:
            if error.code != "denied":
                del self.under_way[event.delivery_id]
            raise
        del self.under_way[event.delivery_id]
        return result


@mutant(
    "remembers-strangers",
    defect="keeps a line about each request that it refused, however many there are",
    kills={"HC-CONC-006": "things held more after 16 turns that nobody may ask for: FAILED"},
)
class RemembersStrangers(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.refused: list[str] = []

    async def authenticate(self, request: Request) -> Caller:
        self.refused.append(request.url.path)
        caller = await super().authenticate(request)
        self.refused.pop()
        return caller


@mutant(
    "open-streams",
    defect="forgets a stream only when it has come to its end",
    kills={"HC-CONC-006": "things held more after 16 turns that wait for a caller who leaves: FAILED"},
)
class OpenStreams(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.open_streams: dict[str, str] = {}

    async def frames(self, stream: HostedStreamResult) -> AsyncGenerator[bytes]:
        self.open_streams[stream.response_id] = stream.response_id
        async for frame in super().frames(stream):
            yield frame
        del self.open_streams[stream.response_id]
