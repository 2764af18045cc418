"""The driver of the reference RPC channel; all that the author of such a channel writes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import Distribution
from typing import Any, ClassVar

from hosting import Channel
from hosting.web import BearerTokens

from ...drivers import (
    IMPOSSIBLE,
    SUPPORTED,
    Attachment,
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
from ...streams.sse import SSEEvent
from .package import reference_package
from .rpc import RpcChannel
from .rpc_body import INPUT_LIMIT


class RpcDriver(HttpJsonDriver):
    """Speaks `RpcChannel`'s protocol."""

    name = "rpc"
    profile = "rpc"
    contract = ">=2026.1,<2027"
    capabilities = Capabilities.of(
        "rpc",
        http=SUPPORTED,
        websocket=IMPOSSIBLE("a shape of its own"),
        middleware=SUPPORTED,
        root_routes=SUPPORTED,
        auth=SUPPORTED,
        signature=IMPOSSIBLE("bearer tokens"),
        jwt=IMPOSSIBLE("a shape of its own"),
        sessions=SUPPORTED,
        caller_sessions=SUPPORTED,
        caller_options=SUPPORTED(allowed={"temperature": 0.25, "max_tokens": 321}),
        client_state=SUPPORTED,
        hooks=SUPPORTED,
        streaming=SUPPORTED,
        sse=SUPPORTED,
        sequence_numbers=SUPPORTED(first=0),
        cancel=SUPPORTED,
        background=IMPOSSIBLE("a shape of its own"),
        retrieve=IMPOSSIBLE("a shape of its own"),
        resume=IMPOSSIBLE("a shape of its own"),
        approvals=SUPPORTED,
        workflow=SUPPORTED,
        delivery_ids=SUPPORTED,
        outbound_urls=IMPOSSIBLE("takes no addresses"),
        attachments_in=SUPPORTED,
        attachments_out=SUPPORTED,
        input_limit=SUPPORTED(limit=INPUT_LIMIT, unit="codepoints"),
    )
    bad_credentials = ("missing", "wrong", "truncated", "wrong_scheme", "other_tenant")
    channel_class: ClassVar[type[RpcChannel]] = RpcChannel

    def distribution(self) -> Distribution:
        return reference_package(self.channel_class, type(self), name=self.name, standard=RpcChannel)

    def make(self, env: Env) -> Channel:
        tokens = BearerTokens({env.secret(user): user for user in ("ann", "bob")})
        return self.channel_class(auth=tokens, **env.options)

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        named = {"session": turn.conversation, "after": turn.parent}
        place = {name: value for name, value in named.items() if value} or {"session": "default"}
        body = {"input": turn.text, **place, "stream": turn.stream, **turn.extra}
        more = {
            "options": turn.options,
            "hosting": turn.hosting,
            "state": turn.client_state,
            "files": [_file(file) for file in turn.attachments],
        }
        return {**body, **{name: value for name, value in more.items() if value}}

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        return bearer(credential, self.env.secret(user))

    def inbound(self, turn: Turn) -> Inbound:
        post = super().inbound(turn)
        key = {"idempotency-key": turn.delivery_id} if turn.delivery_id else {}
        return replace(post, headers={**post.headers, **key})

    def reply(self, body: Any) -> Sequence[Out]:
        return [*(Text(text) for text in body["items"]), *_files(body)]

    def event(self, event: SSEEvent) -> Sequence[Out]:
        return self.told(event.event, self.decoded(event))

    def told(self, kind: str, data: Mapping[str, Any]) -> Sequence[Out]:
        """What one event says."""
        if kind == "delta":
            return [Delta(data["text"], item=str(data["item"]))]
        if kind == "done":
            return [*_files(data), Terminal(data["status"], texts=data["items"])]
        return [Error(data["message"], data["code"]), Terminal("failed")]

    def events(self, wire: Wire) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Kind and data of each event of a stream."""
        return [(event.event or "", self.decoded(event)) for event in wire.events()]

    def final(self, wire: Wire) -> Mapping[str, Any]:
        """The answer object, of a stream its last event."""
        return wire.json if wire.body and not wire.is_sse else self.events(wire)[-1][1]

    def nameless(self, turn: Turn) -> Inbound:
        body = {name: value for name, value in self.payload(turn).items() if name != "session"}
        return replace(self.inbound(turn), body=json_body(body))

    def reference(self, reply: Reply) -> str:
        return self.final(reply.wire)["id"]

    def client_state(self, reply: Reply) -> Any:
        return self.final(reply.wire).get("state")

    def cancel(self, turn: Turn, reply: Reply) -> Inbound:
        headers = self.credentials(turn.credential, turn.user, b"")
        return Inbound(path=f"/{self.reference(reply)}/cancel", headers=headers)

    def requests(self, reply: Reply) -> Sequence[str]:
        return self.final(reply.wire).get("requests", ())

    def answer(self, turn: Turn, request_id: str, reply: Reply, *, approve: bool = True) -> Inbound:
        body = {**self.payload(turn), "input": "", "answers": {request_id: approve}}
        return self.post(json_body(body), credential=turn.credential, user=turn.user)

    def sequence(self, wire: Wire) -> Sequence[int]:
        return [data["n"] for kind, data in self.events(wire) if kind == "delta"]

    def ids(self, wire: Wire) -> Sequence[tuple[str, str]]:
        return [("response", data["id"]) for _, data in self.events(wire)]

    def wrong_fields(self) -> Mapping[str, Inbound]:
        whole = dict(self.payload(Turn()))
        broken = {
            "input": {**whole, "input": 7},
            "stream": {**whole, "stream": "yes"},
            "session": {**whole, "session": 7},
        }
        return {field: self.post(json_body(body)) for field, body in broken.items()}

    def unconfigured(self, env: Env) -> Channel:
        return self.channel_class(**env.options)

    def opened(self, env: Env) -> Channel:
        return self.channel_class(auth=None, **env.options)

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        token = env.secret("ann")
        wrong: Any = {"token": token}
        return [("auth", lambda: self.channel_class(auth=wrong, **env.options))]


def _file(file: Attachment) -> dict[str, str]:
    return {"name": file.name, "type": file.media_type, "data": b64encode(file.content).decode()}


def _files(answer: Mapping[str, Any]) -> list[Out]:
    """Files, and the names of what is none."""
    return [
        File(b64decode(file["data"]), file["type"], file["name"]) if "data" in file else Text(file["name"])
        for file in answer.get("files", ())
    ]
