"""What core says in contents, as parts of the answer's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from agent_framework import Content, Message

Item = dict[str, Any]
"""One part of an answer's message, as JSON."""

_HIDDEN = {"raw_representation", "additional_properties", "protected_data", "merge_mode"}


def is_refusal(content: Content) -> bool:
    """Whether a text is marked as the model's refusal."""
    core = content.additional_properties.get("core")
    nested = cast("Mapping[str, Any]", core).get("model_output_kind") if isinstance(core, Mapping) else None
    return (nested or content.additional_properties.get("model_output_kind")) == "refusal"


def text_item(text: str, *, refusal: bool = False, annotations: list[Item] | None = None) -> Item:
    """A text, or a refusal."""
    item: Item = {"type": "refusal" if refusal else "text", "text": text}
    return item | {"annotations": annotations} if annotations else item


def annotations_of(content: Content) -> list[Item]:
    """Citations of a text, without the provider's own objects."""
    found = (cast("Mapping[str, Any]", annotation) for annotation in content.annotations or ())
    return [cleaned({key: value for key, value in note.items() if key not in _HIDDEN}) for note in found]


def item_of(content: Content) -> Item:
    """A whole content. Types without a form of their own look as `agent_framework` writes them."""
    return cleaned(_item(content))


def cleaned(value: Any) -> Any:
    """`value` as JSON can hold it: lone surrogates become U+FFFD (contract 6.10), foreign objects their text."""
    match value:
        case str():
            return value if value.isascii() else _paired(value)
        case dict():
            fields = cast("dict[Any, Any]", value)
            return {_paired(str(key)): cleaned(field) for key, field in fields.items()}
        case list() | tuple():
            return [cleaned(entry) for entry in cast("list[Any]", value)]
        case int() | float() | None:
            return value
        case _:
            return _paired(str(value))


def _paired(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _item(content: Content) -> Item:
    match content.type:
        case "text":
            return text_item(
                content.text or "", refusal=is_refusal(content), annotations=annotations_of(content)
            )
        case "text_reasoning":
            return {"type": "reasoning", "text": content.text or ""}
        case "function_call":
            return tool_call(content)
        case "function_result":
            return _tool_result(content)
        case "data" | "uri":
            return _file(content)
        case "function_approval_request":
            return {"type": "approval_request", "id": content.id, "call": tool_call(content.function_call)}
        case "error":  # its message is the exception's, which is not for clients (contract 14.2)
            return {"type": "error", "code": content.error_code}
        case _:
            return content.to_dict(exclude=_HIDDEN)


def tool_call(call: Content | None) -> Item:
    """A call; its arguments are the JSON text that the model wrote, well formed or not."""
    arguments = call.arguments if call else None
    text = (
        arguments
        if isinstance(arguments, str)
        else msgspec.json.encode(arguments or {}, enc_hook=str).decode()
    )
    return {
        "type": "tool_call",
        "call_id": (call and (call.call_id or call.id)) or "",
        "name": (call and call.name) or "",
        "arguments": text,
    }


def _tool_result(content: Content) -> Item:
    """A result. A failed call says that it failed; the exception itself stays here (contract 14.2)."""
    result = content.result if isinstance(content.result, str) else ""
    item: Item = {"type": "tool_result", "call_id": content.call_id or "", "result": result}
    files = [_item(part) for part in content.items or () if part.type != "text"]
    if files:
        item["content"] = files
    if content.exception is not None:
        item["failed"] = True
    return item


def _file(content: Content) -> Item:
    name = content.name or content.additional_properties.get("filename")
    item: Item = {"type": "file", "media_type": content.media_type, "uri": content.uri}
    return item | {"name": str(name)} if name else item


def head_of(message: Message) -> Item:
    """A message without its content."""
    head: Item = {"role": cleaned(message.role)}
    return head | {"author": cleaned(message.author_name)} if message.author_name else head
