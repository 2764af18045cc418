"""Errors in the protocol's shape: `{"error": {"code", "message", "details"?}}` (protocols 2)."""

from __future__ import annotations

from typing import Any

import msgspec

from hosting import ErrorAnswer, HostingError, UnknownReference


class InvocationNotFound(UnknownReference):
    """No invocation of this caller has that id: unknown, foreign and expired alike (contract 6.12)."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no invocation with this id.")


class ParserNotImplemented(HostingError):
    """The app's parser raised `NotImplementedError` (501)."""

    status = 501
    code = "not_implemented"


class StoredFailure(HostingError):
    """An earlier invocation of that id failed, and fails again the same way.

    Args:
        error: Its code and message, as they were told.
        status: Its HTTP status.
    """

    def __init__(self, error: dict[str, str], status: int) -> None:
        super().__init__(error["message"])
        self.code = error["code"]
        self.status = status


def render_error(*, status: int, code: str, message: str, param: str | None = None) -> ErrorAnswer:
    """The body of an error; an `ErrorRenderer` of the host."""
    error: dict[str, Any] = {"code": code, "message": message}
    if param is not None:
        error["details"] = [{"code": code, "message": message, "target": param}]
    return ErrorAnswer(status=status, body=msgspec.json.encode({"error": error}), headers={})


def told(error: Exception | None) -> dict[str, str]:
    """What a failed answer says of its failure."""
    if isinstance(error, HostingError):
        return {"code": error.code, "message": error.message}
    return {"code": "internal_error", "message": "The invocation failed."}
