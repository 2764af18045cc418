"""The driver by which the conformance kit speaks this protocol; needs `hosting[testkit]`."""

from __future__ import annotations

import json
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
from hosting_testkit.streams.sse import SSEEvent

from .channel import STORE_TTL, ResponsesChannel


class ResponsesDriver(HttpJsonDriver):
    """Turns become `responses.create`; the kit's conversations become `conversation`."""

    name = "responses"
    profile = "rpc"
    contract = ">=2026.1,<2027"
    capabilities = Capabilities.of(
        "rpc",
        http=SUPPORTED,
        websocket=SUPPORTED,
        middleware=IMPOSSIBLE("it contributes none"),
        root_routes=SUPPORTED,
        auth=SUPPORTED,
        signature=IMPOSSIBLE("the API has bearer tokens"),
        jwt=NOT_IMPLEMENTED("driven with plain tokens; JwtBearer is hosting.web's"),
        sessions=SUPPORTED,
        caller_sessions=SUPPORTED,
        caller_options=SUPPORTED(allowed={"temperature": 0.25, "max_tokens": 321}),
        client_state=IMPOSSIBLE("the API has no such field"),
        hooks=SUPPORTED,
        streaming=SUPPORTED,
        sse=SUPPORTED,
        sequence_numbers=SUPPORTED(first=0),
        cancel=SUPPORTED,
        background=SUPPORTED(seconds=STORE_TTL),
        retrieve=SUPPORTED,
        resume=SUPPORTED,
        approvals=SUPPORTED,
        workflow=SUPPORTED,
        delivery_ids=SUPPORTED,
        outbound_urls=IMPOSSIBLE("addresses go to the target as the caller wrote them"),
        attachments_in=SUPPORTED,
        attachments_out=IMPOSSIBLE("of all files the API has only generated images"),
        input_limit=IMPOSSIBLE("only the body is bounded"),
    )
    bad_credentials = ("missing", "wrong", "truncated", "wrong_scheme", "other_tenant")

    def make(self, env: Env) -> Channel:
        tokens = BearerTokens({env.secret(user): user for user in ("ann", "bob")})
        return ResponsesChannel(auth=tokens, **env.options)

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        options = {_PARAMETERS.get(name, name): value for name, value in turn.options.items()}
        place = {"conversation": turn.conversation or "default"}
        if turn.parent is not None:
            place = {"previous_response_id": turn.parent}
        body = {"input": _input(turn), **place, "stream": turn.stream, **options, **turn.extra}
        if turn.background:
            body["background"] = True
        return body if turn.hosting is None else {**body, "hosting": turn.hosting}

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        return bearer(credential, self.env.secret(user))

    def inbound(self, turn: Turn) -> Inbound:
        post = super().inbound(turn)
        key = {"idempotency-key": turn.delivery_id} if turn.delivery_id else {}
        return Inbound(path=post.path, headers={**post.headers, **key}, body=post.body)

    def websocket(self, turn: Turn) -> Inbound:
        body = {**self.payload(turn), "type": "response.create"}
        del body["stream"]
        headers = self.credentials(turn.credential, turn.user, b"")
        return Inbound(method="WEBSOCKET", headers=headers, body=json_body(body))

    def frame_status(self, wire: Wire) -> int:
        return next((event["status"] for event in wire.messages if event["type"] == "error"), 200)

    def outbound(self, wire: Wire) -> Sequence[Out]:
        if wire.frames:
            return [out for data in wire.messages for out in self.told(data)]
        return super().outbound(wire)

    def reply(self, body: Any) -> Sequence[Out]:
        failure = body.get("error")
        told = [Error(failure["message"], failure["code"])] if failure else []
        return [*(Text(text) for text in _texts(body)), *_images(body), *told]

    def event(self, event: SSEEvent) -> Sequence[Out]:
        return [] if event.data == "[DONE]" else self.told(self.decoded(event))

    def told(self, data: Mapping[str, Any]) -> Sequence[Out]:
        """What one event says, over whichever transport."""
        match data["type"]:
            case "response.output_text.delta":
                return [Delta(data["delta"], item=data["item_id"])]
            case "response.completed" | "response.incomplete":
                response = data["response"]
                return [*_images(response), Terminal(_status(response), texts=_texts(response))]
            case "response.failed":
                error = data["response"]["error"] or {"message": "", "code": ""}
                return [Error(error["message"], error["code"]), Terminal(data["response"]["status"])]
            case "error":
                return [*self.error(data), Terminal("failed")]
            case _:
                return []

    def nameless(self, turn: Turn) -> Inbound:
        body = {name: value for name, value in self.payload(turn).items() if name != "conversation"}
        return replace(self.inbound(turn), body=json_body(body))

    def reference(self, reply: Reply) -> str:
        return self.response(reply.wire)["id"]

    def cancel(self, turn: Turn, reply: Reply) -> Inbound:
        headers = self.credentials(turn.credential, turn.user, b"")
        return Inbound(path=f"/{self.reference(reply)}/cancel", headers=headers)

    def token(self, reply: Reply) -> str:
        return self.reference(reply)

    def retrieve(self, turn: Turn, token: str) -> Inbound:
        return self.get(turn, f"/{token}")

    def standing(self, reply: Reply) -> str:
        status = _status(reply.wire.json)
        return "running" if status == "in_progress" else status

    def withdraw(self, turn: Turn, token: str) -> Inbound:
        return Inbound(path=f"/{token}/cancel", headers=self.credentials(turn.credential, turn.user, b""))

    def resume(self, turn: Turn, token: str, after: int | None = None) -> Inbound:
        behind = "" if after is None else f"&starting_after={after}"
        return self.get(turn, f"/{token}?stream=true{behind}")

    def get(self, turn: Turn, path: str) -> Inbound:
        """A request without a body."""
        return Inbound(method="GET", path=path, headers=self.credentials(turn.credential, turn.user, b""))

    def requests(self, reply: Reply) -> Sequence[str]:
        output = self.response(reply.wire)["output"]
        return [item["id"] for item in output if item["type"] == "mcp_approval_request"]

    def answer(self, turn: Turn, request_id: str, reply: Reply, *, approve: bool = True) -> Inbound:
        said = {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": approve}
        body = {**self.payload(turn), "input": [said]}
        return self.post(json_body(body), credential=turn.credential, user=turn.user)

    def sequence(self, wire: Wire) -> Sequence[int]:
        return [event["sequence_number"] for event in _events(wire)]

    def ids(self, wire: Wire) -> Sequence[tuple[str, str]]:
        events = _events(wire)
        found = [("response", event["response"]["id"]) for event in events if "response" in event]
        for event in events:
            if "output_index" in event:
                item = event["item"]["id"] if "item" in event else event["item_id"]
                found.append((f"item {event['output_index']}", item))
        final = self.response(wire)
        return [*found, *((f"item {n}", item["id"]) for n, item in enumerate(final["output"]))]

    def response(self, wire: Wire) -> Mapping[str, Any]:
        """The response object, the last one of a stream."""
        if not wire.is_sse:
            return wire.json
        return [event["response"] for event in _events(wire) if "response" in event][-1]

    def wrong_fields(self) -> Mapping[str, Inbound]:
        whole = dict(self.payload(Turn()))
        broken = {
            "input": {key: value for key, value in whole.items() if key != "input"},
            "stream": {**whole, "stream": "yes"},
            "conversation": {**whole, "conversation": 7},
        }
        return {field: self.post(json_body(body)) for field, body in broken.items()}

    def unconfigured(self, env: Env) -> Channel:
        return ResponsesChannel(**env.options)

    def opened(self, env: Env) -> Channel:
        return ResponsesChannel(auth=None, **env.options)

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        wrong: Any = {"token": env.secret("ann")}
        return [
            ("auth", lambda: ResponsesChannel(auth=wrong, **env.options)),
            ("store_ttl", lambda: ResponsesChannel(store_ttl=0, **env.options)),
        ]


driver = ResponsesDriver
"""The entry point in the group `hosting.conformance`."""


_PARAMETERS = {"max_tokens": "max_output_tokens"}


def _input(turn: Turn) -> Any:
    """Text, or one message of text and files."""
    if not turn.attachments:
        return turn.text
    parts: list[Any] = [{"type": "input_text", "text": turn.text}] if turn.text else []
    for file in turn.attachments:
        uri = f"data:{file.media_type};base64,{b64encode(file.content).decode()}"
        if file.media_type.startswith("image/"):
            parts.append({"type": "input_image", "image_url": uri})
        else:
            parts.append({"type": "input_file", "file_data": uri, "filename": file.name})
    return [{"type": "message", "role": "user", "content": parts}]


def _events(wire: Wire) -> list[Any]:
    return [json.loads(event.data) for event in wire.events() if event.data != "[DONE]"]


def _status(response: Mapping[str, Any]) -> str:
    """How the response ended; one that asks for approval is completed on this wire, and waits for input."""
    waits = any(item["type"] == "mcp_approval_request" for item in response["output"])
    return "input_required" if waits else response["status"]


def _texts(response: Mapping[str, Any]) -> list[str]:
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return [part["text"] for part in parts if part["type"] == "output_text"]


def _images(response: Mapping[str, Any]) -> list[Out]:
    items = [item for item in response["output"] if item["type"] == "image_generation_call"]
    return [File(b64decode(item["result"]), "image/png", item["id"]) for item in items]
