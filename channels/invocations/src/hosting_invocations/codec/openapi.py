"""The OpenAPI document. The request schema comes from the structs that parse; the rest describes what `answer` builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .envelope import ID_PATTERN, INPUTS, Invocation

_ID = {"type": "string", "pattern": ID_PATTERN}
_TEXT = {"type": "string"}
_ITEM = {
    "type": "object",
    "description": (
        "One content: `text` and `refusal` {text, annotations?}, `reasoning` {text}, `tool_call` {call_id, name, arguments}, "
        "`tool_result` {call_id, result, content?, failed?}, `file` {media_type, uri, name?}, `approval_request` {id, call}, "
        "`error` {code}; other types as agent_framework writes them."
    ),
    "properties": {"type": _TEXT},
    "required": ["type"],
}
_MESSAGE = {
    "type": "object",
    "properties": {
        "role": _TEXT,
        "author": _TEXT,
        "content": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
    },
    "required": ["role", "content"],
}
_USAGE = {
    "type": ["object", "null"],
    "properties": {f"{name}_tokens": {"type": "integer"} for name in ("input", "output", "total")},
}
_ANSWER_PROPERTIES: dict[str, Any] = {
    "invocation_id": _ID,
    "session_id": _ID,
    "status": {
        "enum": [
            "queued",
            "in_progress",
            "completed",
            "incomplete",
            "input_required",
            "cancelled",
            "failed",
        ]
    },
    "output": {"type": "string", "description": "All text of `messages`."},
    "messages": {"type": "array", "items": {"$ref": "#/components/schemas/AnswerMessage"}},
    "requests": {
        "type": "array",
        "description": (
            "What waits for the caller. The next invocation of the session answers an `approval_request` with an "
            "`approval_response`, and a `tool_call` with a `tool_result`."
        ),
        "items": {"$ref": "#/components/schemas/Item"},
    },
    "usage": _USAGE,
    "error": {
        "type": ["object", "null"],
        "properties": {"code": _TEXT, "message": _TEXT},
        "required": ["code", "message"],
    },
}
_ANSWER = {"type": "object", "properties": _ANSWER_PROPERTIES, "required": list(_ANSWER_PROPERTIES)}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": _TEXT,
                "message": _TEXT,
                "details": {"type": "array", "items": {"type": "object"}},
            },
            "required": ["code", "message"],
        }
    },
    "required": ["error"],
}
_EVENTS = (
    "`delta` {message, item, role, author?, type, text} adds text to an item. `item` {message, item, role, author?, content} "
    "gives an item whole, and replaces what was there. The last event is named for the status and holds the Answer. Events of "
    "a background invocation have their number as `id`."
)
_RESUMING = [
    {
        "name": "stream",
        "in": "query",
        "schema": {"type": "boolean"},
        "description": "Of a background invocation: its events.",
    },
    {
        "name": "starting_after",
        "in": "query",
        "schema": {"type": "integer", "minimum": 0},
        "description": "The `id` of the last event that is not wanted again.",
    },
    {"name": "last-event-id", "in": "header", "schema": _TEXT, "description": "Wins over `starting_after`."},
]


def openapi_document(*, path: str, title: str, any_content: bool) -> dict[str, Any]:
    """The document of one channel.

    Args:
        path: The channel's path.
        title: Name of the target.
        any_content: The app reads bodies itself, so that they may be anything.
    """
    path_id = {"name": "invocation_id", "in": "path", "required": True, "schema": _ID}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "paths": {
            path or "/": {"post": _invoke(any_content)},
            f"{path}/{{invocation_id}}": {
                "parameters": [path_id],
                "get": _retrieve(),
            },
            f"{path}/{{invocation_id}}/cancel": {
                "parameters": [path_id],
                "post": _operation("cancelInvocation", "Cancels it if it runs, and gives its state."),
            },
        },
        "components": {
            "schemas": {
                **({} if any_content else invocation_schemas()),
                "Answer": _ANSWER,
                "AnswerMessage": _MESSAGE,
                "Item": _ITEM,
                "Error": _ERROR,
            }
        },
    }


def invocation_schemas() -> dict[str, Any]:
    """The request body, by name of the schema; `Invocation` is the whole."""
    _, schemas = msgspec.json.schema_components([Invocation], ref_template="#/components/schemas/{name}")
    invocation: dict[str, Any] = schemas["Invocation"]
    invocation["oneOf"] = [{"required": [name]} for name in INPUTS]
    return schemas


def _invoke(any_content: bool) -> dict[str, Any]:
    schema = {} if any_content else {"$ref": "#/components/schemas/Invocation"}
    media_type = "*/*" if any_content else "application/json"
    operation = _operation("invoke", "Runs the target once.")
    operation["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    operation["parameters"] = [
        {"name": "agent_session_id", "in": "query", "schema": _TEXT},
        {"name": "x-agent-session-id", "in": "header", "schema": _TEXT},
        {
            "name": "x-agent-invocation-id",
            "in": "header",
            "schema": _TEXT,
            "description": "The same id again gives the same answer.",
        },
    ]
    operation["responses"]["202"] = _response("A background invocation that has not ended.", "Answer")
    return _streamed(operation)


def _retrieve() -> dict[str, Any]:
    operation = _operation("getInvocation", "The invocation as it is now.")
    operation["parameters"] = _RESUMING
    return _streamed(operation)


def _streamed(operation: dict[str, Any]) -> dict[str, Any]:
    operation["responses"]["200"]["content"]["text/event-stream"] = {
        "schema": {"type": "string", "description": _EVENTS}
    }
    return operation


def _operation(operation_id: str, summary: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": summary,
        "responses": {
            "200": _response("The answer.", "Answer"),
            "default": _response("An error.", "Error"),
        },
    }


def _response(description: str, schema: str) -> Mapping[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}
