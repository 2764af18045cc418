"""What an error looks like before a channel gives it its protocol's shape (contract 14.1, 14.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from ..channel import ErrorAnswer
from ..errors import HostingError

if TYPE_CHECKING:
    from starlette.exceptions import HTTPException

_CODES = {
    400: "invalid_request",
    401: "not_authenticated",
    403: "denied",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "unprocessable_input",
    429: "rate_limited",
    503: "not_ready",
    504: "run_timeout",
}
_RETRY_LATER = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as any protocol can render it; every field is safe for clients.

    Args:
        status: HTTP status.
        code: Stable, for programs.
        message: One sentence, for people.
        param: The field of the request at fault, where one is known.
        retry_after: Seconds after which trying again makes sense.
    """

    status: int
    code: str
    message: str
    param: str | None = None
    retry_after: float | None = None


def describe(error: HostingError | HTTPException) -> Problem:
    """What may be told of `error`; 429 and 503 always say when to come back (contract 14.1)."""
    if not isinstance(error, HostingError):
        code = _CODES.get(error.status_code, "http_error")
        return Problem(status=error.status_code, code=code, message=error.detail)
    retry_after = error.retry_after
    if retry_after is None and error.status in _RETRY_LATER:
        retry_after = 1.0
    return Problem(
        status=error.status,
        code=error.code,
        message=error.message,
        param=error.param,
        retry_after=retry_after,
    )


def error_headers(error: HostingError | HTTPException) -> dict[str, str]:
    """The headers that HTTP asks for beside the body, names in lower case.

    `retry-after` in whole seconds, rounded up; `www-authenticate` with 401; `allow` and others that an
    `HTTPException` brings.
    """
    if not isinstance(error, HostingError):
        return {name.lower(): value for name, value in (error.headers or {}).items()}
    problem = describe(error)
    headers: dict[str, str] = {}
    if problem.retry_after is not None:
        headers["retry-after"] = str(max(0, math.ceil(problem.retry_after)))
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return headers


def plain_error(*, status: int, code: str, message: str, param: str | None = None) -> ErrorAnswer:
    """The body of channels and host routes that have no error shape of their own (an `ErrorRenderer`)."""
    error = {"code": code, "message": message} | ({} if param is None else {"param": param})
    return ErrorAnswer(status=status, body=msgspec.json.encode({"error": error}), headers={})
