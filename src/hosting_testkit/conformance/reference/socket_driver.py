"""The driver of the RPC channel over a WebSocket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...drivers import IMPOSSIBLE, SUPPORTED, Inbound, Out, Text, Turn, Wire
from .rpc import RpcChannel
from .rpc_driver import RpcDriver
from .socket_rpc import SocketRpcChannel

_NO_HTTP = IMPOSSIBLE("it speaks WebSocket only")


class SocketRpcDriver(RpcDriver):
    """Speaks `SocketRpcChannel`'s protocol."""

    name = "socket"
    profile = "custom"
    capabilities = RpcDriver.capabilities.but(
        transports={"websocket": SUPPORTED},
        http=_NO_HTTP,
        websocket=SUPPORTED,
        sse=_NO_HTTP,
        middleware=_NO_HTTP,
        root_routes=_NO_HTTP,
        cancel=IMPOSSIBLE("whoever closes the socket cancels"),
    )
    channel_class: ClassVar[type[RpcChannel]] = SocketRpcChannel

    def post(self, body: bytes, *, credential: str = "valid", user: str = "ann") -> Inbound:
        return Inbound(method="WEBSOCKET", headers=self.credentials(credential, user, body), body=body)

    def websocket(self, turn: Turn) -> Inbound:
        return self.inbound(turn)

    def frame_status(self, wire: Wire) -> int:
        return next(
            (data["status"] for data in wire.messages if "status" in data and data["event"] == "error"), 200
        )

    def outbound(self, wire: Wire) -> Sequence[Out]:
        if not wire.frames:
            return self.error(wire.json) if wire.body else []
        events = self.events(wire)
        outs = [out for kind, data in events for out in self.told(kind, data)]
        if any(kind == "delta" for kind, _ in events):
            return outs
        return [Text(text) for _, data in events for text in data.get("items", ())] + outs

    def events(self, wire: Wire) -> Sequence[tuple[str, Mapping[str, Any]]]:
        return [(data["event"], data) for data in wire.messages]

    def final(self, wire: Wire) -> Mapping[str, Any]:
        return wire.messages[-1]

    def _at_once(self, wire: Wire) -> Sequence[Out]:
        """The texts of an answer that came in one piece."""
        events = self.events(wire)
        whole = [data for kind, data in events if kind == "done"]
        streamed = any(kind == "delta" for kind, _ in events)
        return [] if streamed else [Text(text) for data in whole for text in data["items"]]
