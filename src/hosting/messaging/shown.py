"""What a person should see of an answer, in order: texts and files, and a short text for what is neither (channels 0.6)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from agent_framework import AgentResponse, Content

_QUIET = frozenset(
    {
        "code_interpreter_tool_call",
        "code_interpreter_tool_result",
        "function_approval_request",
        "function_approval_response",
        "function_call",
        "function_result",
        "mcp_server_tool_call",
        "mcp_server_tool_result",
        "text_reasoning",
        "usage",
    }
)
"""How the answer came about; no part of it."""


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file to send.

    Args:
        name: A name with a suffix, made up where the target gave none.
        media_type: Such as `image/png`.
        content: Its bytes.
    """

    name: str
    media_type: str
    content: bytes


def is_answer(role: str) -> bool:
    """Whether a person should see what messages of this role say."""
    return role == "assistant"


def shown_items(response: AgentResponse) -> list[str | OutboundFile]:
    """The assistant's texts, one for each item as core folds it, and its files."""
    return [
        item
        for message in response.messages
        if is_answer(message.role)
        for content in message.contents
        if (item := shown_item(content)) is not None
    ]


def shown_item(content: Content) -> str | OutboundFile | None:
    """What a person sees of one content: a text, a file, the name of what cannot be carried, or nothing."""
    if content.type == "text":
        return content.text or ""
    if content.type in _QUIET:
        return None
    head, _, data = (content.uri or "").partition(";base64,")
    if content.type == "data" and data:
        media_type = content.media_type or head.removeprefix("data:")
        return OutboundFile(_name(content) or _made_up(media_type), media_type, base64.b64decode(data))
    return placeholder(content)


def placeholder(content: Content) -> str:
    """A short text that names what a channel cannot carry."""
    label = _name(content) or content.media_type or content.type.replace("_", " ")
    return f"[{label}: {content.uri}]" if content.type == "uri" else f"[{label}]"


def _name(content: Content) -> str:
    return str(content.name or content.additional_properties.get("filename") or "")


def _made_up(media_type: str) -> str:
    kind, _, suffix = media_type.partition("/")
    return f"{kind}.{suffix.partition(';')[0].partition('+')[0] or 'bin'}"
