"""The RPC channel without streams: JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting import Caller, ChannelRequest, RequestError
from hosting.web import Auth

from .rpc import RpcChannel


class UnaryRpcChannel(RpcChannel):
    """The reference for channels that answer whole; whoever asks for a stream is refused.

    Options as for `RpcChannel`, but that `auth` has to be given.
    """

    def __init__(self, *, auth: Auth, name: str = "unary", path: str = "/unary", **options: Any) -> None:
        super().__init__(auth=auth, name=name, path=path, **options)

    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        """The turn that a body asks for."""
        turn = super().parse(body, caller, headers)
        if turn.stream:
            raise RequestError("There are no streams here; leave 'stream' out.", param="stream")
        return turn
