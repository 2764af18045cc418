"""The driver by which the conformance kit speaks this protocol; needs `hosting[testkit]`."""

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
from hosting_testkit.streams.sse import SSEEvent

from .channel import ResponsesChannel


class ResponsesDriver(HttpJsonDriver):
    """Turns become `responses.create`; the kit's conversations become `conversation`."""

    name = "responses"
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
        return ResponsesChannel(auth=tokens, **env.options)

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        return {"input": turn.text, "conversation": turn.conversation or "default", "stream": turn.stream}

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        return bearer(credential, self.env.secret(user))

    def inbound(self, turn: Turn) -> Inbound:
        post = super().inbound(turn)
        key = {"idempotency-key": turn.delivery_id} if turn.delivery_id else {}
        return Inbound(path=post.path, headers={**post.headers, **key}, body=post.body)

    def reply(self, body: Any) -> Sequence[Out]:
        return [Text(text) for text in _texts(body)]

    def event(self, event: SSEEvent) -> Sequence[Out]:
        if event.data == "[DONE]":
            return []
        data = self.decoded(event)
        match data["type"]:
            case "response.output_text.delta":
                return [Delta(data["delta"], item=data["item_id"])]
            case "response.completed" | "response.incomplete":
                return [Terminal(data["response"]["status"], texts=_texts(data["response"]))]
            case "response.failed":
                error = data["response"]["error"] or {"message": "", "code": ""}
                return [Error(error["message"], error["code"]), Terminal(data["response"]["status"])]
            case _:
                return []

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        wrong: Any = {"token": env.secret("ann")}
        return [
            ("auth", lambda: ResponsesChannel(auth=wrong, **env.options)),
            ("store_ttl", lambda: ResponsesChannel(store_ttl=0, **env.options)),
        ]


driver = ResponsesDriver
"""The entry point in the group `hosting.conformance`."""


def _texts(response: Mapping[str, Any]) -> list[str]:
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return [part["text"] for part in parts if part["type"] == "output_text"]
