"""Channels that take a body that breaks off, or an answer that nobody waits for, the wrong way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from hosting import ChannelRequest, HostedRunResult
from hosting.web import ClientGone, decode_json_object

from ..reference import RpcChannel
from .model import mutant


@mutant("body-read-hang", kills={"HC-CANCEL-007": "the channel returns: FAILED"})
class BodyReadHang(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        pieces: list[bytes] = []
        more = True
        while more:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                await asyncio.Event().wait()  # for the rest, which nobody sends
            pieces.append(message["body"])
            more = message["more_body"]
        return decode_json_object(b"".join(pieces))


@mutant(
    "watches-upload",
    defect="leaves a task behind when a body breaks off",
    kills={"HC-CANCEL-007": "gone before the body, ASGI 2.3: tasks left: FAILED"},
)
class WatchesUpload(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.watches: list[asyncio.Task[Any]] = []

    async def read(self, request: Request) -> dict[str, Any]:
        watch = asyncio.create_task(asyncio.Event().wait(), name="upload")
        self.watches.append(watch)
        body = await super().read(request)
        watch.cancel()
        return body


@mutant(
    "runs-half-a-body",
    defect="runs what came of a body that broke off",
    kills={"HC-CANCEL-007": "runs of what was never sent whole: FAILED"},
)
class RunsHalfABody(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        try:
            return await super().read(request)
        except ClientGone:
            return {"input": "as far as it came"}


@mutant(
    "broken-off-body-error",
    defect="takes a body that broke off for an error of its own",
    kills={"HC-CANCEL-007": "failures in the log: FAILED"},
)
class BrokenOffBodyError(RpcChannel):
    async def read(self, request: Request) -> dict[str, Any]:
        try:
            return await super().read(request)
        except ClientGone as gone:
            raise RuntimeError("the body ends too early") from gone


@mutant(
    "lock-kept-for-good",
    defect="gives a lock of its own back only after a turn that went well",
    kills={
        "HC-CANCEL-007": "gone before the answer, ASGI 2.3: the next turn: FAILED",
        "HC-CANCEL-009": "one-shot: the next turn: FAILED",
    },
)
class LockKeptForGood(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.free = asyncio.Event()
        self.free.set()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        async with asyncio.timeout(1):
            await self.free.wait()
        self.free.clear()
        result = await super().run(turn, body)
        self.free.set()
        return result
