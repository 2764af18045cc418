"""The body of a request to the reference RPC channel, read without the host."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from agent_framework import AgentResponse, Content

from hosting import RequestError
from hosting.messaging import OutboundFile, placeholder, shown_item

OPTIONS = frozenset({"temperature", "max_tokens"})
"""Options of the target that a caller may set; the others are dropped (contract 3.1)."""

INPUT_LIMIT = 200_000
"""Most code points of an input."""

KNOWN = frozenset({"after", "answers", "files", "hosting", "input", "options", "session", "state", "stream"})
"""The keys of the protocol."""


def typed(body: Mapping[str, Any], key: str, kind: type[Any], default: Any) -> Any:
    """The value of `key`, or `default`.

    Raises:
        RequestError: It is of another type.
    """
    value = body.get(key, default)
    if not isinstance(value, kind):
        raise RequestError(f"{key!r} must be a JSON {kind.__name__}.", param=key)
    return value


def attributes(body: Mapping[str, Any]) -> dict[str, Any]:
    """What hooks find beside the turn: the developer's block, and keys that the protocol does not have."""
    unknown = {name: value for name, value in body.items() if name not in KNOWN}
    found = {"hosting": body.get("hosting"), "body": unknown}
    return {name: value for name, value in found.items() if value}


def files(body: Mapping[str, Any]) -> list[Content]:
    """The files `{"name", "type", "data"}` of a body, `data` in base64.

    Raises:
        RequestError: One is malformed.
    """
    return [_file(file) for file in typed(body, "files", list, [])]


def shown_files(response: AgentResponse) -> list[dict[str, Any]]:
    """The files of an answer; what cannot be carried goes by its name (channels 0.6)."""
    shown = [
        (content, shown_item(content))
        for message in response.messages
        if message.role == "assistant"
        for content in message.contents
        if content.type != "text"
    ]
    return [_shown(content, item) for content, item in shown if item is not None]


def _shown(content: Content, item: str | OutboundFile) -> dict[str, Any]:
    if isinstance(item, str):
        return {"name": placeholder(content)}
    return {"name": item.name, "type": item.media_type, "data": base64.b64encode(item.content).decode()}


def _file(file: Any) -> Content:
    try:
        content = base64.b64decode(file["data"], validate=True)
        return Content.from_data(content, file["type"], additional_properties={"filename": file["name"]})
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise RequestError('A file is {"name", "type", "data"}, data in base64.', param="files") from None
