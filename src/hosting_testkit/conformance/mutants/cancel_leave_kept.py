"""Channels that lose what a client left behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import ChannelContext, ChannelContribution, ChannelRequest, OnCommit
from hosting.web import JsonAnswer, StreamingAnswer

from ..reference import BackgroundRpcChannel
from ..reference.kept_answers import KeptAnswers
from ..reference.rpc_answers import RpcAnswers
from .model import mutant


class _AtTheEndOnly(KeptAnswers):
    async def created(self, turn: ChannelRequest) -> None:
        return

    def begin(self, turn: ChannelRequest) -> OnCommit:
        whole, only_how = super().begin(turn), RpcAnswers.begin(self, turn)
        return lambda end: whole(end) if end.status == "completed" else only_how(end)


@mutant("stored-at-end", kills={"HC-CANCEL-013": "the standing of a run whose client left: FAILED"})
class StoredAtEnd(BackgroundRpcChannel):
    kept_class = _AtTheEndOnly


class _Watching(BackgroundRpcChannel):
    """Notices when the first reader of a run leaves."""

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.left: dict[str, int] = {}
        return super().contribute(context)

    async def respond(
        self, request: Request, turn: ChannelRequest, body: Mapping[str, Any]
    ) -> JsonAnswer | StreamingAnswer:
        if not (self.goes_on() and turn.stream):
            return await super().respond(request, turn, body)
        assert turn.caller is not None
        answer = await self.begin(turn, body, turn.caller)
        frames = await self.read_on(turn.caller, answer["id"])
        return self.streamed(self.watched(frames, turn, answer["id"]))

    async def watched(
        self, frames: AsyncGenerator[bytes], turn: ChannelRequest, response_id: str
    ) -> AsyncGenerator[bytes]:
        read, whole = 0, False
        try:
            async with aclosing(frames):
                async for frame in frames:
                    read += frame.startswith(b"event: delta")
                    yield frame
            whole = True
        finally:
            if not whole:
                self.left[response_id] = read
                await self.on_left(turn, response_id)

    async def on_left(self, turn: ChannelRequest, response_id: str) -> None:
        """What it does then."""

    async def retrieve(self, request: Request) -> JsonAnswer:
        caller, response_id = await self.authenticate(request), request.path_params["id"]
        answer = await self.kept.current(caller, response_id)
        if response_id in self.left:
            answer |= self.left_with(answer["items"], self.left[response_id])
        return JsonAnswer(msgspec.json.encode(answer))

    def left_with(self, items: list[str], read: int) -> dict[str, Any]:
        """What it tells otherwise of a run whose reader left."""
        return {}


@mutant(
    "disconnect-kills-background",
    kills={"HC-CANCEL-013": "runs under way that go on without their client: FAILED"},
)
class DisconnectKillsBackground(_Watching):
    async def on_left(self, turn: ChannelRequest, response_id: str) -> None:
        assert turn.caller is not None
        self.context.spawn(self.context.cancel_run(response_id, caller=turn.caller), name="cancel")


@mutant(
    "left-is-cancelled",
    defect="calls a run cancelled whose client left, although it goes on",
    kills={"HC-CANCEL-013": "the standing of a run that went on: FAILED"},
)
class LeftIsCancelled(_Watching):
    def left_with(self, items: list[str], read: int) -> dict[str, Any]:
        return {"status": "cancelled"}


@mutant(
    "keeps-what-was-read",
    defect="keeps of an answer what its client has read of it",
    kills={"HC-CANCEL-013": "the text of a run that went on: FAILED"},
)
class KeepsWhatWasRead(_Watching):
    def left_with(self, items: list[str], read: int) -> dict[str, Any]:
        return {"items": [item[: len(item) // 2] for item in items] if read else []}
