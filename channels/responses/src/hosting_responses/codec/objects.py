"""The response object: all of its keys, always; null where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .request import ParsedRequest
from .wire import Item

ResponseStatus = str
"""`in_progress`, `completed`, `incomplete`, `failed` or `cancelled`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEnd:
    """How a response ended.

    Args:
        status: `completed`, `incomplete`, `failed` or `cancelled`.
        output: The items, as they were streamed.
        usage: Tokens as core counts them, or None.
        completed_at: Seconds since the epoch; kept only for `completed`.
        incomplete_reason: `max_output_tokens` or `content_filter`.
        error: What the client may know of a failure.
    """

    status: ResponseStatus
    output: Sequence[Item]
    usage: Mapping[str, Any] | None = None
    completed_at: int | None = None
    incomplete_reason: str | None = None
    error: Mapping[str, Any] | None = None


def new_response(request: ParsedRequest, *, response_id: str, created_at: int, model: str) -> dict[str, Any]:
    """The object as it is when the response is created, `in_progress`.

    Args:
        request: What the caller asked for; what is only echoed stands in `request.echo`.
        response_id: Its id.
        created_at: Seconds since the epoch.
        model: Named where the request names none.
    """
    response: dict[str, Any] = {
        "id": response_id,
        "object": "response",
        "created_at": created_at,
        "completed_at": None,
        "status": "in_progress",
        "incomplete_details": None,
        "model": model,
        "previous_response_id": request.previous_response_id,
        "instructions": request.instructions,
        "output": [],
        "error": None,
        "tools": [dict(tool) for tool in request.tools],
        "tool_choice": "auto",
        "truncation": "disabled",
        "parallel_tool_calls": True,
        "text": {"format": {"type": "text"}},
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": 0,
        "temperature": 1.0,
        "reasoning": None,
        "usage": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "store": request.store,
        "background": False,
        "service_tier": "default",
        "metadata": dict(request.metadata),
        "safety_identifier": None,
        "prompt_cache_key": None,
        "user": None,
        "conversation": None if request.conversation_id is None else {"id": request.conversation_id},
    }
    response.update(request.echo)
    return response


def ended(response: Mapping[str, Any], end: ResponseEnd) -> dict[str, Any]:
    """The object as it stays."""
    reason = {"reason": end.incomplete_reason or "max_output_tokens"} if end.status == "incomplete" else None
    return {
        **response,
        "status": end.status,
        "output": list(end.output),
        "usage": wire_usage(end.usage),
        "completed_at": end.completed_at if end.status == "completed" else None,
        "incomplete_details": reason,
        "error": None if end.error is None else dict(end.error),
    }


def wire_usage(usage: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Tokens as the wire counts them; None where the target told nothing, for they are never invented."""
    if not usage or (usage.get("input_token_count") is None and usage.get("output_token_count") is None):
        return None
    taken, given = usage.get("input_token_count") or 0, usage.get("output_token_count") or 0
    return {
        "input_tokens": taken,
        "input_tokens_details": {
            "cached_tokens": usage.get("cache_read_input_token_count") or 0,
            "cache_write_tokens": usage.get("cache_creation_input_token_count") or 0,
        },
        "output_tokens": given,
        "output_tokens_details": {"reasoning_tokens": usage.get("reasoning_output_token_count") or 0},
        "total_tokens": usage.get("total_token_count") or taken + given,
    }
