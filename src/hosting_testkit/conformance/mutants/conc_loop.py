"""Channels that hold up the loop, or leave something in its contexts."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections.abc import Mapping
from contextvars import Context, ContextVar
from typing import Any

from starlette.requests import Request

from hosting import (
    Caller,
    ChannelRequest,
    Destination,
    HostedRunResult,
    NotAuthenticated,
    PushRetryable,
)

from ..reference import BotChannel, RpcChannel
from .model import mutant


@mutant("sync-io", kills={"HC-CONC-004": "answer = link.recv(1)"})
class SyncIo(RpcChannel):
    """Asks another service who the caller is; it does not answer."""

    async def authenticate(self, request: Request) -> Caller:
        link, far_end = socket.socketpair()
        with link, far_end:
            link.settimeout(0.5)
            try:
                answer = link.recv(1)
            except TimeoutError:
                answer = b""
        return await super().authenticate(request) if not answer else Caller("known")


@mutant("sleep-block", kills={"HC-CONC-004": "time.sleep(0.5)"})
class SleepBlock(BotChannel):
    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        try:
            return await super().send(destination, method, params)
        except PushRetryable:
            self.wait()
            return await super().send(destination, method, params)

    def wait(self) -> None:
        time.sleep(0.5)


@mutant(
    "polite-sleep",
    defect="sleeps between the parts of a long answer, and everybody with it",
    kills={"HC-CONC-004": "time.sleep(0.5)"},
)
class PoliteSleep(BotChannel):
    async def deliver(
        self, destination: Destination, method: str, params: Mapping[str, Any], *, begun: bool
    ) -> str:
        if begun:
            self.pause()
        return await super().deliver(destination, method, params, begun=begun)

    def pause(self) -> None:
        time.sleep(0.5)


@mutant(
    "derives-a-key",
    defect="derives a key from the caller's token anew for each request, which takes its time on purpose",
    kills={"HC-CONC-004": "for 0.1 s each time: FAILED"},
)
class DerivesAKey(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        self.derive(request.headers.get("authorization", ""))
        return await super().authenticate(request)

    def derive(self, token: str) -> None:
        begun = time.thread_time()
        while time.thread_time() - begun < 0.15:
            hashlib.pbkdf2_hmac("sha256", token.encode(), b"salt", 1000)


_asking: ContextVar[ChannelRequest] = ContextVar("asking")


@mutant("contextvar-leak", kills={"HC-CONC-005": "variables that hold something of another turn: FAILED"})
class ContextVarLeak(RpcChannel):
    """Runs its turns in the context of one worker and notes there whose turn it is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.worker = Context()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> Any:
        return await asyncio.create_task(self.work(turn, body), context=self.worker)

    async def work(self, turn: ChannelRequest, body: Mapping[str, Any]) -> Any:
        result = await super().run(turn, body)
        _asking.set(turn)
        return result


@mutant(
    "slows-guessing",
    defect="lets who guesses a token wait, and everybody else with him",
    kills={"HC-CONC-004": "lines that held up the loop for 0.1 s each time: FAILED"},
)
class SlowsGuessing(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        try:
            return await super().authenticate(request)
        except NotAuthenticated:
            self.discourage()
            raise

    def discourage(self) -> None:
        time.sleep(0.15)


@mutant(
    "flushes-now-and-then",
    defect="writes its statistics after every fourth turn, and lets everybody wait",
    kills={"HC-CONC-004": "lines that held up the loop for 0.2 s: FAILED"},
)
class FlushesNowAndThen(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.turns = 0

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        self.turns += 1
        if self.turns == 4:
            self.write()
        return await super().run(turn, body)

    def write(self) -> None:
        time.sleep(0.3)
