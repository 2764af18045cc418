"""The driver of the reference RPC channel; all that the author of such a channel writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from hosting import Channel
from hosting.web import BearerTokens

from ...drivers import (
    IMPOSSIBLE,
    SUPPORTED,
    Capabilities,
    Delta,
    Env,
    Error,
    HttpJsonDriver,
    Inbound,
    Out,
    Terminal,
    Text,
    Turn,
    bearer,
)
from ...streams.sse import SSEEvent
from .rpc import RpcChannel


class RpcDriver(HttpJsonDriver):
    """Speaks `RpcChannel`'s protocol."""

    name = "rpc"
    profile = "rpc"
    capabilities = Capabilities(
        http=SUPPORTED,
        streaming=SUPPORTED,
        hooks=SUPPORTED,
        sessions=SUPPORTED,
        reset=IMPOSSIBLE("the caller names its sessions"),
        auth=SUPPORTED,
        events=IMPOSSIBLE("every request is a turn"),
        delivery_ids=SUPPORTED,
        push=IMPOSSIBLE("answers go out in the response"),
        text_limit=IMPOSSIBLE("the protocol has none"),
    )
    bad_credentials = ("missing", "wrong", "truncated", "wrong_scheme", "other_tenant")
    channel_class: ClassVar[type[RpcChannel]] = RpcChannel

    def make(self, env: Env) -> Channel:
        tokens = BearerTokens({env.secret(user): user for user in ("ann", "bob")})
        return self.channel_class(auth=tokens, **env.options)

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        return {"input": turn.text, "session": turn.conversation or "default", "stream": turn.stream}

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        return bearer(credential, self.env.secret(user))

    def inbound(self, turn: Turn) -> Inbound:
        post = super().inbound(turn)
        key = {"idempotency-key": turn.delivery_id} if turn.delivery_id else {}
        return Inbound(path=post.path, headers={**post.headers, **key}, body=post.body)

    def reply(self, body: Any) -> Sequence[Out]:
        return [Text(text) for text in body["items"]]

    def event(self, event: SSEEvent) -> Sequence[Out]:
        data = self.decoded(event)
        if event.event == "delta":
            return [Delta(data["text"], item=str(data["item"]))]
        if event.event == "done":
            return [Terminal(data["status"], texts=data["items"])]
        return [Error(data["message"], data["code"]), Terminal("failed")]

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        token = env.secret("ann")
        wrong: Any = {"token": token}
        return [("auth", lambda: self.channel_class(auth=wrong, **env.options))]
