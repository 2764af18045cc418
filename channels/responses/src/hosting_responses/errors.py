"""Errors in OpenAI's shape (channels 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hosting import ErrorAnswer, HostingError, RequestError

from .codec import encode

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}


class PreviousResponseNotFound(RequestError):
    """`previous_response_id` names nothing that this caller can continue (400, as the real service answers)."""

    code = "previous_response_not_found"

    def __init__(self, response_id: str) -> None:
        super().__init__(
            f"Previous response with id '{response_id}' not found.", param="previous_response_id"
        )


def error_object(*, status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """What stands under `error`."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"message": message, "type": kind, "param": param, "code": code}


def render_error(*, status: int, code: str, message: str, param: str | None = None) -> ErrorAnswer:
    """The body of an error; an `ErrorRenderer` of the host."""
    error = error_object(status=status, code=code, message=message, param=param)
    return ErrorAnswer(status=status, body=encode({"error": error}), headers={})


def response_error(error: HostingError | None) -> dict[str, Any]:
    """What a failed response says under its own `error`, whose codes are a closed list (protocols 1)."""
    if error is None:
        return {"code": "server_error", "message": "The response was not completed."}
    code = "rate_limit_exceeded" if error.status == 429 else "server_error"
    return {"code": code, "message": error.message}
