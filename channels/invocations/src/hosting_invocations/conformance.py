"""The driver of the conformance kit (contract 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hosting import Channel
from hosting.web import BearerTokens
from hosting_testkit.drivers import (
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
from hosting_testkit.streams import SSEEvent

from .channel import InvocationsChannel
from .ids import INVOCATION_ID


class InvocationsDriver(HttpJsonDriver):
    """Speaks the default envelope."""

    name = "invocations"
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

    def make(self, env: Env) -> Channel:
        tokens = BearerTokens({env.secret(user): user for user in ("ann", "bob")})
        return InvocationsChannel(auth=tokens, **env.options)

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        return {"input": turn.text, "session_id": turn.conversation or "default", "stream": turn.stream}

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        return bearer(credential, self.env.secret(user))

    def inbound(self, turn: Turn) -> Inbound:
        post = super().inbound(turn)
        key = {INVOCATION_ID: turn.delivery_id} if turn.delivery_id else {}
        return Inbound(path=post.path, headers={**post.headers, **key}, body=post.body)

    def reply(self, body: Any) -> Sequence[Out]:
        return [Text(text) for text in _texts(body)]

    def event(self, event: SSEEvent) -> Sequence[Out]:
        data = self.decoded(event)
        place = f"{data.get('message')}.{data.get('item')}"
        match event.event:
            case "delta":
                return [Delta(data["text"], item=place)]
            case "item":
                content = data["content"]
                return [Text(content["text"], item=place)] if content["type"] == "text" else []
            case _:
                error = data["error"]
                told = [Error(error["message"], error["code"])] if error else []
                return [*told, Terminal(data["status"], texts=_texts(data))]

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        token = env.secret("ann")
        wrong: Any = {"token": token}
        return [
            ("auth", lambda: InvocationsChannel(auth=wrong, **env.options)),
            ("store_ttl", lambda: InvocationsChannel(store_ttl=-1, **env.options)),
        ]


def _texts(answer: Mapping[str, Any]) -> list[str]:
    return [
        item["text"]
        for message in answer["messages"]
        for item in message["content"]
        if item["type"] in ("text", "refusal")
    ]


driver = InvocationsDriver
