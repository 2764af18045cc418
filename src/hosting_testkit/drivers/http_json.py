"""Drivers of channels that speak JSON over HTTP: a whole one for RPC, the common half for webhooks."""

from __future__ import annotations

import json
import secrets
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ..streams.sse import SSEEvent
from .base import ChannelDriver
from .turn import VALID, Inbound, Turn, json_body
from .wire import Error, Out, Wire


class JsonDriver(ChannelDriver):
    """A channel whose requests are JSON objects, authenticated by headers."""

    endpoint = ""
    """Where requests go, below the channel's path."""

    @abstractmethod
    def payload(self, turn: Turn) -> Mapping[str, Any]:
        """The request body of a turn."""

    @abstractmethod
    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        """The headers that authenticate `user` and `body`, forged as `credential` says."""

    def inbound(self, turn: Turn) -> Inbound:
        """The payload as a POST, with credentials."""
        return self.post(json_body(self.payload(turn)), credential=turn.credential, user=turn.user)

    def post(self, body: bytes, *, credential: str = VALID, user: str = "ann") -> Inbound:
        """`body` as it is, with credentials."""
        headers = {"content-type": "application/json", **self.credentials(credential, user, body)}
        return Inbound(path=self.endpoint, headers=headers, body=body)

    def raw(self, body: bytes) -> Inbound:
        """`body` as it is, signed."""
        return self.post(body)

    def malformed(self) -> Mapping[str, Inbound]:
        """What can be wrong with any JSON body (contract 14.1)."""
        whole = json_body(self.payload(Turn()))
        broken = {
            "empty": b"",
            "not JSON": b"<hello/>",
            "wrong root type": b"[" + whole + b"]",
            "truncated": whole[:-1],
            "invalid UTF-8": whole.replace(b"hello", b"\xff\xfe"),
        }
        return {name: self.post(body) for name, body in broken.items()}


class HttpJsonDriver(JsonDriver):
    """A request-response channel: JSON in, JSON or server-sent events out on the same path.

    Decodes errors of the usual shape `{"error": {"message", "code"}}`; override `error` for another.
    """

    @abstractmethod
    def reply(self, body: Any) -> Sequence[Out]:
        """What a one-shot answer says."""

    def event(self, event: SSEEvent) -> Sequence[Out]:
        """What one server-sent event says; only for channels that stream."""
        raise NotImplementedError(f"{type(self).__name__} declares streaming and has no event()")

    def decoded(self, event: SSEEvent) -> Any:
        """The JSON of an event's data."""
        return json.loads(event.data)

    def error(self, body: Any) -> Sequence[Out]:
        """What an error answer says."""
        return [Error(body["error"]["message"], body["error"].get("code", ""))]

    def outbound(self, wire: Wire) -> Sequence[Out]:
        """Errors, events or the one-shot answer, as status and content type say."""
        if wire.status >= 400:
            return self.error(wire.json)
        if wire.is_sse:
            return [out for event in wire.events() for out in self.event(event)]
        return self.reply(wire.json)


def bearer(credential: str, token: str, other: str = "") -> Mapping[str, str]:
    """The `Authorization` header of a bearer token, or a forgery of it.

    Args:
        credential: `valid`, `missing`, `wrong`, `truncated`, `wrong_scheme` or `other_tenant`.
        token: The valid token.
        other: A token that is valid elsewhere, for `other_tenant`.
    """
    forms = {
        VALID: f"Bearer {token}",
        "wrong": f"Bearer {secrets.token_hex(len(token) // 2)}",
        "truncated": f"Bearer {token[:-1]}",
        "wrong_scheme": f"Basic {token}",
        "other_tenant": f"Bearer {other or secrets.token_hex(20)}",
    }
    return {"authorization": forms[credential]} if credential != "missing" else {}
