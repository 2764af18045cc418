"""The driver of the RPC channel with background runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...drivers import SUPPORTED, Error, Inbound, Out, Reply, Terminal, Turn
from .background_rpc import BackgroundRpcChannel
from .rpc import RpcChannel
from .rpc_driver import RpcDriver


class BackgroundRpcDriver(RpcDriver):
    """Speaks `BackgroundRpcChannel`'s protocol."""

    name = "background"
    capabilities = RpcDriver.capabilities.but(background=SUPPORTED, retrieve=SUPPORTED, resume=SUPPORTED)
    channel_class: ClassVar[type[RpcChannel]] = BackgroundRpcChannel

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        asked = {"background": True} if turn.background else {}
        return {**super().payload(turn), **asked}

    def reply(self, body: Any) -> Sequence[Out]:
        return [*super().reply(body), *_failure(body)]

    def told(self, kind: str, data: Mapping[str, Any]) -> Sequence[Out]:
        if kind == "done" and "error" in data:
            return [*_failure(data), Terminal(data["status"], texts=data["items"])]
        return super().told(kind, data)

    def token(self, reply: Reply) -> str:
        answers = [data for _, data in self.events(reply.wire)] if reply.wire.is_sse else [reply.wire.json]
        return next(answer["id"] for answer in answers if "id" in answer)

    def retrieve(self, turn: Turn, token: str) -> Inbound:
        return self.get(turn, f"/{token}")

    def resume(self, turn: Turn, token: str, after: int | None = None) -> Inbound:
        return self.get(turn, f"/{token}/events?after={-1 if after is None else after}")

    def withdraw(self, turn: Turn, token: str) -> Inbound:
        headers = self.credentials(turn.credential, turn.user, b"")
        return Inbound(path=f"/{token}/cancel", headers=headers)

    def standing(self, reply: Reply) -> str:
        return self.final(reply.wire)["status"]

    def get(self, turn: Turn, path: str) -> Inbound:
        """A request without a body."""
        return Inbound(method="GET", path=path, headers=self.credentials(turn.credential, turn.user, b""))


def _failure(answer: Mapping[str, Any]) -> list[Out]:
    error = answer.get("error")
    return [Error(error["message"], error["code"])] if error else []
