"""The driver of the RPC channel without streams, whose callers have JSON web tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

from hosting import Channel
from hosting.web import JwtBearer

from ...drivers import IMPOSSIBLE, NOT_IMPLEMENTED, SUPPORTED, Env, Inbound, Turn, bearer
from .rpc import RpcChannel
from .rpc_driver import RpcDriver
from .tokens import AUDIENCE, ISSUER, LEEWAY, TokenMint
from .unary import UnaryRpcChannel

_WHOLE = NOT_IMPLEMENTED("answers are given whole")


class UnaryRpcDriver(RpcDriver):
    """Speaks `UnaryRpcChannel`'s protocol; needs `hosting[jwt]`."""

    name = "unary"
    capabilities = RpcDriver.capabilities.but(
        streaming=_WHOLE,
        sse=_WHOLE,
        sequence_numbers=_WHOLE,
        cancel=IMPOSSIBLE("the id of an answer comes with its end"),
        jwt=SUPPORTED(leeway=LEEWAY),
    )
    channel_class: ClassVar[type[RpcChannel]] = UnaryRpcChannel

    @cached_property
    def mint(self) -> TokenMint:
        """Signs tokens."""
        return TokenMint()

    def make(self, env: Env) -> Channel:
        auth = JwtBearer(
            issuer=ISSUER,
            audience=AUDIENCE,
            key=self.mint.public_key,
            algorithms=("ES256",),
            leeway=LEEWAY,
            time_source=env.time_source,
        )
        return self.channel_class(auth=auth, **env.options)

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        now = self.env.time_source.now()
        return bearer(credential, self.mint.token(user, now), self.mint.token(user, now, aud="api://other"))

    def dated(self, turn: Turn, seconds: float) -> Inbound:
        return self._with_token(turn, self.mint.token(turn.user, self.env.time_source.now() + seconds))

    def forged(self, turn: Turn) -> Mapping[str, Inbound]:
        tokens = self.mint.forgeries(turn.user, self.env.time_source.now())
        return {what: self._with_token(turn, token) for what, token in tokens.items()}

    def _with_token(self, turn: Turn, token: str) -> Inbound:
        whole = self.inbound(turn)
        return replace(whole, headers={**whole.headers, "authorization": f"Bearer {token}"})
