"""The driver of the conformance kit (contract 2.6)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hosting import Channel
from hosting.web import BearerTokens
from hosting_testkit.drivers import (
    IMPOSSIBLE,
    NOT_IMPLEMENTED,
    SUPPORTED,
    Capabilities,
    Delta,
    Env,
    Error,
    File,
    HttpJsonDriver,
    Inbound,
    Out,
    Reply,
    Terminal,
    Text,
    Turn,
    Wire,
    bearer,
    json_body,
)
from hosting_testkit.streams import SSEEvent

from .channel import InvocationsChannel
from .ids import INVOCATION_ID, SESSION_ID


class InvocationsDriver(HttpJsonDriver):
    """Speaks the default envelope."""

    name = "invocations"
    profile = "rpc"
    contract = ">=2026.1,<2027"
    capabilities = Capabilities.of(
        "rpc",
        http=SUPPORTED,
        websocket=IMPOSSIBLE("the protocol has HTTP only"),
        middleware=SUPPORTED,
        root_routes=IMPOSSIBLE("all of it lies under its path"),
        auth=SUPPORTED,
        signature=IMPOSSIBLE("callers have bearer tokens"),
        jwt=NOT_IMPLEMENTED("driven with plain tokens; JwtBearer is hosting.web's"),
        sessions=SUPPORTED,
        caller_sessions=SUPPORTED,
        caller_options=IMPOSSIBLE("the default envelope has none"),
        client_state=IMPOSSIBLE("the default envelope has no such field"),
        hooks=SUPPORTED,
        streaming=SUPPORTED,
        sse=SUPPORTED,
        sequence_numbers=IMPOSSIBLE(
            "only events that can be read again, those of background invocations, are numbered"
        ),
        cancel=SUPPORTED,
        background=SUPPORTED,
        retrieve=SUPPORTED,
        resume=SUPPORTED,
        approvals=SUPPORTED,
        workflow=SUPPORTED,
        delivery_ids=SUPPORTED,
        outbound_urls=IMPOSSIBLE("addresses go to the target as the caller wrote them"),
        attachments_in=SUPPORTED,
        attachments_out=SUPPORTED,
        input_limit=IMPOSSIBLE("only the body is bounded"),
    )
    bad_credentials = ("missing", "wrong", "truncated", "wrong_scheme", "other_tenant")

    def make(self, env: Env) -> Channel:
        tokens = BearerTokens({env.secret(user): user for user in ("ann", "bob")})
        return InvocationsChannel(auth=tokens, **env.options)

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        said: Any = {"messages": [_message(turn)]} if turn.attachments else {"input": turn.text}
        session = turn.parent or turn.conversation or "default"
        body = {**said, "session_id": session, "stream": turn.stream, **turn.options, **turn.extra}
        if turn.background:
            body["background"] = True
        return body if turn.hosting is None else {**body, "hosting": turn.hosting}

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        return bearer(credential, self.env.secret(user))

    def inbound(self, turn: Turn) -> Inbound:
        post = super().inbound(turn)
        key = {INVOCATION_ID: turn.delivery_id} if turn.delivery_id else {}
        return Inbound(path=post.path, headers={**post.headers, **key}, body=post.body)

    def reply(self, body: Any) -> Sequence[Out]:
        items = [item for message in body["messages"] for item in message["content"]]
        error = body["error"]
        told = [Error(error["message"], error["code"])] if error else []
        return [*(out for item in items for out in _shown(item, None)), *told]

    def event(self, event: SSEEvent) -> Sequence[Out]:
        data = self.decoded(event)
        place = f"{data.get('message')}.{data.get('item')}"
        match event.event:
            case "delta":
                return [Delta(data["text"], item=place)]
            case "item":
                return _shown(data["content"], place)
            case _:
                error = data["error"]
                told = [Error(error["message"], error["code"])] if error else []
                return [*told, Terminal(data["status"], texts=_texts(data))]

    def nameless(self, turn: Turn) -> Inbound:
        body = {name: value for name, value in self.payload(turn).items() if name != "session_id"}
        return replace(self.inbound(turn), body=json_body(body))

    def reference(self, reply: Reply) -> str:
        return reply.wire.headers[SESSION_ID]

    def cancel(self, turn: Turn, reply: Reply) -> Inbound:
        headers = self.credentials(turn.credential, turn.user, b"")
        return Inbound(path=f"/{reply.wire.headers[INVOCATION_ID]}/cancel", headers=headers)

    def token(self, reply: Reply) -> str:
        return reply.wire.headers[INVOCATION_ID]

    def retrieve(self, turn: Turn, token: str) -> Inbound:
        return self.get(turn, f"/{token}")

    def standing(self, reply: Reply) -> str:
        status: str = reply.wire.json["status"]
        return "running" if status == "in_progress" else status

    def withdraw(self, turn: Turn, token: str) -> Inbound:
        return Inbound(path=f"/{token}/cancel", headers=self.credentials(turn.credential, turn.user, b""))

    def resume(self, turn: Turn, token: str, after: int | None = None) -> Inbound:
        behind = "" if after is None else f"&starting_after={after}"
        return self.get(turn, f"/{token}?stream=true{behind}")

    def sequence(self, wire: Wire) -> Sequence[int]:
        return [int(event.id) for event in wire.events() if event.id]

    def get(self, turn: Turn, path: str) -> Inbound:
        """A request without a body."""
        return Inbound(method="GET", path=path, headers=self.credentials(turn.credential, turn.user, b""))

    def requests(self, reply: Reply) -> Sequence[str]:
        asked = self.final(reply.wire)["requests"]
        return [item["id"] for item in asked if item["type"] == "approval_request"]

    def answer(self, turn: Turn, request_id: str, reply: Reply, *, approve: bool = True) -> Inbound:
        said = {"type": "approval_response", "id": request_id, "approved": approve}
        body = {key: value for key, value in self.payload(turn).items() if key != "input"}
        body["messages"] = [{"role": "user", "content": [said]}]
        return self.post(json_body(body), credential=turn.credential, user=turn.user)

    def ids(self, wire: Wire) -> Sequence[tuple[str, str]]:
        return [("response", wire.headers[INVOCATION_ID]), ("response", self.final(wire)["invocation_id"])]

    def final(self, wire: Wire) -> Mapping[str, Any]:
        """The answer object, of a stream its last event."""
        return self.decoded(wire.events()[-1]) if wire.is_sse else wire.json

    def wrong_fields(self) -> Mapping[str, Inbound]:
        whole = dict(self.payload(Turn()))
        broken = {
            "input": {key: value for key, value in whole.items() if key != "input"},
            "stream": {**whole, "stream": "yes"},
            "session_id": {**whole, "session_id": 7},
        }
        return {field: self.post(json_body(body)) for field, body in broken.items()}

    def unconfigured(self, env: Env) -> Channel:
        return InvocationsChannel(**env.options)

    def opened(self, env: Env) -> Channel:
        return InvocationsChannel(auth=None, **env.options)

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        token = env.secret("ann")
        wrong: Any = {"token": token}
        return [
            ("auth", lambda: InvocationsChannel(auth=wrong, **env.options)),
            ("store_ttl", lambda: InvocationsChannel(store_ttl=-1, **env.options)),
        ]


def _message(turn: Turn) -> dict[str, Any]:
    """One message of text and files."""
    parts: list[dict[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text else []
    for file in turn.attachments:
        uri = f"data:{file.media_type};base64,{b64encode(file.content).decode()}"
        parts.append({"type": "file", "uri": uri, "name": file.name})
    return {"role": "user", "content": parts}


def _shown(item: Mapping[str, Any], place: str | None) -> list[Out]:
    """What a person sees of an item; texts keep their place, so that a later one replaces an earlier."""
    if item["type"] in ("text", "refusal"):
        return [Text(item["text"], item=place)]
    if item["type"] == "file" and item["uri"].startswith("data:"):
        content = b64decode(item["uri"].partition(";base64,")[2])
        return [File(content, item["media_type"], item.get("name", ""))]
    return []


def _texts(answer: Mapping[str, Any]) -> list[str]:
    return [
        item["text"]
        for message in answer["messages"]
        for item in message["content"]
        if item["type"] in ("text", "refusal")
    ]


driver = InvocationsDriver
