"""What core says in contents, as items of the wire; what the wire cannot show becomes a short text (channels 0.5, 0.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from agent_framework import Content

from .wire import Item, clean

DEFAULT_SERVER_LABEL = "host"
"""Names the side that runs a tool which asks for approval, where core knows no MCP server."""

_encode = msgspec.json.Encoder().encode


def is_refusal(content: Content) -> bool:
    """Whether a text content is marked as a refusal."""
    properties = content.additional_properties
    core = properties.get("core")
    kind = cast("Mapping[str, Any]", core).get("model_output_kind") if isinstance(core, Mapping) else None
    return (kind or properties.get("model_output_kind")) == "refusal"


def is_raw_reasoning(content: Content) -> bool:
    """Whether a reasoning content is marked as the reasoning itself; otherwise it is a summary."""
    properties = content.additional_properties
    openai = properties.get("openai")
    return "reasoning_text" in properties or (isinstance(openai, Mapping) and "reasoning_text" in openai)


def arguments_text(arguments: Any) -> str:
    """A call's arguments as JSON text."""
    if isinstance(arguments, str):
        return clean(arguments)
    return _encode(arguments or {}).decode()


def function_output(item_id: str, call_id: str, content: Content) -> Item:
    """A tool's result. A failed call says so by its status; the exception itself stays here (contract 14.2)."""
    return {
        "type": "function_call_output",
        "id": item_id,
        "call_id": call_id,
        "output": _output(content),
        "status": "incomplete" if content.exception else "completed",
    }


def approval_request(content: Content) -> Item:
    """A tool call that waits for a person; its id is what the answer names."""
    call = content.function_call
    return {
        "type": "mcp_approval_request",
        "id": content.id,
        "name": (call and call.name) or "",
        "arguments": arguments_text(call.arguments if call else None),
        "server_label": (call and call.server_name) or DEFAULT_SERVER_LABEL,
    }


def approval_response(item_id: str, content: Content) -> Item:
    return {
        "type": "mcp_approval_response",
        "id": item_id,
        "approval_request_id": content.id or "",
        "approve": bool(content.approved),
    }


def mcp_call(item_id: str, content: Content) -> Item:
    """A call that a hosted MCP server runs; its result fills `output`."""
    return {
        "type": "mcp_call",
        "id": item_id,
        "name": content.tool_name or "",
        "arguments": arguments_text(content.arguments),
        "server_label": content.server_name or DEFAULT_SERVER_LABEL,
        "status": "in_progress",
        "output": None,
        "error": None,
    }


def image_call(item_id: str, *, result: str | None = None) -> Item:
    """An image as base64; `in_progress` until there is one."""
    status = "in_progress" if result is None else "completed"
    return {"type": "image_generation_call", "id": item_id, "status": status, "result": result}


def image_data(contents: Any) -> str | None:
    """The base64 of the first image among `contents`, a content or a list of them."""
    for content in _contents(contents):
        uri = content.uri or ""
        if content.type == "data" and (content.media_type or "").startswith("image/") and ";base64," in uri:
            return uri.partition(";base64,")[2]
    return None


def text_of(contents: Any) -> str:
    """The texts among `contents`, a content or a list of them, one a line."""
    return "\n".join(
        clean(content.text) for content in _contents(contents) if content.type == "text" and content.text
    )


def placeholder(content: Content) -> str:
    """A short text for what has no item of its own, naming what it is."""
    name = clean(_name(content))
    match content.type:
        case "uri":
            return f"[{name or content.media_type or 'link'}: {content.uri}]"
        case "data" | "hosted_file":
            return f"[file {name or content.file_id or content.media_type}]"
        case "oauth_consent_request":
            return f"[sign-in required: {content.consent_link}]"
        case "error":
            return f"[error {content.error_code}]" if content.error_code else "[error]"
        case _:
            label = content.type.replace("_", " ")
            return f"[{label}: {name}]" if name else f"[{label}]"


def _name(content: Content) -> str:
    name = (
        content.tool_name
        or content.name
        or content.additional_properties.get("filename")
        or content.vector_store_id
    )
    return str(name) if name else ""


def _output(content: Content) -> str | list[Item]:
    items = content.items or []
    if all(item.type == "text" for item in items):
        return clean(content.result if isinstance(content.result, str) else "")
    return [_output_part(item) for item in items]


def _output_part(content: Content) -> Item:
    if content.type == "text":
        return {"type": "input_text", "text": clean(content.text or "")}
    if content.type in ("data", "uri") and (content.media_type or "").startswith("image/"):
        return {"type": "input_image", "image_url": content.uri, "detail": "auto"}
    if content.type == "data":
        return {"type": "input_file", "file_data": content.uri, "filename": _name(content) or "file"}
    return {"type": "input_text", "text": placeholder(content)}


def _contents(value: Any) -> Sequence[Content]:
    values = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
    return [item for item in values if isinstance(item, Content)]
