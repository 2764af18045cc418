"""Parts of a caller's messages, and the contents that the target gets of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from agent_framework import Content, Message
from msgspec import Meta, Struct

Spoken = Annotated[str, Meta(pattern=r"\S")]
"""Text that says something (contract 3.5)."""

END = r"(?![\s\S])"
"""The end of a text in the regular expressions of Python and of JSON Schema alike; `$` differs."""

_BASE64 = r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_MIME = r"[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+"
_URI = rf"^(https?://[^\s]+|data:{_MIME};base64,{_BASE64}){END}"


class Text(Struct, tag_field="type", tag="text", frozen=True, kw_only=True):
    """A text."""

    text: Spoken

    def content(self) -> Content:
        return Content.from_text(self.text)


class File(Struct, tag_field="type", tag="file", frozen=True, kw_only=True):
    """An image, a sound, a document; as a data URI, or where the target's model can fetch it."""

    uri: Annotated[str, Meta(pattern=_URI)]
    media_type: Annotated[str, Meta(pattern=rf"^{_MIME}{END}")] | None = None
    name: str | None = None

    def content(self) -> Content:
        inline = self.uri.startswith("data:")
        media_type = None if inline else self.media_type or "application/octet-stream"
        return Content.from_uri(self.uri, media_type=media_type, name=self.name)


class ToolCall(Struct, tag_field="type", tag="tool_call", frozen=True, kw_only=True):
    """A call that the assistant made, where the caller brings the history."""

    call_id: str
    name: str
    arguments: str = "{}"

    def content(self) -> Content:
        return Content.from_function_call(self.call_id, self.name, arguments=self.arguments)


class ToolResult(Struct, tag_field="type", tag="tool_result", frozen=True, kw_only=True):
    """The result of a call: the answer to an open request of type `tool_call`."""

    call_id: str
    result: Any = None

    def content(self) -> Content:
        text = self.result if isinstance(self.result, str) else msgspec.json.encode(self.result).decode()
        return Content.from_function_result(self.call_id, result=text)


class ApprovalResponse(Struct, tag_field="type", tag="approval_response", frozen=True, kw_only=True):
    """The answer to an open request of type `approval_request`."""

    id: str
    approved: bool

    def content(self) -> Content:
        """The answer, without the call that it is about: the caller's word on that would not count."""
        unnamed = Content.from_function_call(self.id, "", id=self.id)
        return Content.from_function_approval_response(self.approved, self.id, unnamed)


Part = Text | File | ToolCall | ToolResult | ApprovalResponse


def read_messages(messages: Iterable[tuple[str, str | list[Part]]]) -> list[Message]:
    """Messages as the target takes them, of pairs of role and content."""
    return [
        Message(role, [content] if isinstance(content, str) else [part.content() for part in content])
        for role, content in messages
    ]
