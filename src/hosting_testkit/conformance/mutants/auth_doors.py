"""Channels whose door is not what was asked for: closed, open, or noisy in the wrong place."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.websockets import WebSocket

from hosting import Caller, NotAuthenticated

from ..reference import BotChannel, RpcChannel, SocketRpcChannel, UnaryRpcChannel
from .model import mutant


@mutant(
    "none-means-loopback",
    defect="takes `auth=None` for a missing option, and serves loopback only",
    kills={"HC-AUTH-006": "runs of a stranger where it was opened: FAILED"},
)
class NoneMeansLoopback(RpcChannel):
    def __init__(self, *, auth: Any = None, **options: Any) -> None:
        super().__init__(auth=auth or "loopback", **options)


@mutant(
    "warns-once",
    defect="warns of its open door at the first start only",
    kills={"HC-AUTH-006": "warnings after a second start: FAILED"},
)
class WarnsOnce(BotChannel):
    async def start(self) -> None:
        told, allowed = self.context.state("told"), self.unauthenticated
        self.unauthenticated = allowed and await told.get("open door") is None
        await super().start()
        self.unauthenticated = allowed
        await told.put("open door", True)


@mutant(
    "auth-none-crash",
    defect="breaks on a missing `auth` as it would on any other mistake",
    kills={
        "HC-AUTH-006": "without credentials it is refused, or serves loopback only: FAILED",
        "HC-AUTH-012": "without credentials it is refused, or serves loopback only: FAILED",
    },
)
class AuthNoneCrash(UnaryRpcChannel):
    def __init__(self, *, auth: Any = None, **options: Any) -> None:
        self.check = auth.__call__
        super().__init__(auth=auth, **options)


@mutant(
    "logs-refusals-twice",
    defect="logs again what the gate has logged",
    kills={"HC-AUTH-012": "another peer: lines in the log: FAILED"},
)
class LogsRefusalsTwice(RpcChannel):
    async def authenticate(self, request: Request) -> Caller:
        try:
            return await super().authenticate(request)
        except NotAuthenticated:
            self.context.logger.warning("channel %s let somebody not in", self.name)
            raise


class _RefusesAfterTheUpgrade(SocketRpcChannel):
    async def serve(self, websocket: WebSocket) -> None:
        try:
            await self.gate(websocket)
        except NotAuthenticated as error:
            await websocket.accept()
            await self.refuse(websocket, error)
            await websocket.close(1008)
        else:
            await super().serve(websocket)

    async def refuse(self, websocket: WebSocket, error: NotAuthenticated) -> None:
        """Says nothing."""


@mutant(
    "ws-closes-silently",
    defect="takes every upgrade and closes on strangers without a word",
    kills={"HC-AUTH-009": "a missing credential: FAILED"},
)
class WebSocketClosesSilently(_RefusesAfterTheUpgrade):
    """A client cannot tell this from a server that stopped."""


@mutant(
    "ws-refuses-in-message",
    defect="takes every upgrade and refuses in a message",
    kills={"HC-AUTH-009": "messages to a missing credential: FAILED"},
)
class WebSocketRefusesInMessage(_RefusesAfterTheUpgrade):
    async def refuse(self, websocket: WebSocket, error: NotAuthenticated) -> None:
        await self.tell(websocket, error)
