"""Errors, split by who must act (contract 14).

    HostingError                      carries status, code and a message that is safe for clients
    |-- RequestError           400    the caller sent something malformed or missing
    |   |-- BodyTooLarge       413
    |   |-- BodyTooSlow        408
    |   |-- UnsupportedMedia   415
    |   `-- UnprocessableInput 422    well formed, but of a type the target does not take
    |-- NotAuthenticated       401
    |-- Denied                 403
    |-- UnknownReference       404    unknown, foreign and expired alike (contract 6.12)
    |-- SessionRequired        409
    |-- TurnInProgress         409
    |-- AlreadyAnswered        409
    |-- ForkUnsupported        409
    |-- HookRejected           422    raised by an app's run hook; its message reaches the client
    |-- RateLimited            429    carries retry_after
    |-- RunFailed              500    opaque: the cause is in the log under the same id
    |-- NotReady               503    draining, or the store cannot be reached
    `-- RunTimeout             504

    ChannelConfigurationError         the app author must change code; raised at construction or at `app`

A channel renders `HostingError` in its protocol's own shape. Nothing else may reach a client.
"""

from __future__ import annotations


class HostingError(Exception):
    """A failure that a channel may tell its client about.

    Args:
        message: Safe for clients: no exception text, path, stack or secret (contract 14.2).
        param: The field of the request at fault, where one is known.
        retry_after: Seconds after which trying again makes sense.
    """

    status: int = 500
    code: str = "internal_error"

    def __init__(self, message: str, *, param: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after


class RequestError(HostingError):
    """The request is malformed, or a required field is missing (400)."""

    status = 400
    code = "invalid_request"


class BodyTooLarge(RequestError):
    """The body passed `limits.max_body_bytes` (413)."""

    status = 413
    code = "body_too_large"


class BodyTooSlow(RequestError):
    """The body came too slowly to be waited for (408)."""

    status = 408
    code = "request_timeout"


class UnsupportedMedia(RequestError):
    """The body's content type is not one the channel reads (415)."""

    status = 415
    code = "unsupported_media_type"


class UnprocessableInput(RequestError):
    """The input is well formed but of a type that the target does not take (422, contract 8.2)."""

    status = 422
    code = "unprocessable_input"


class NotAuthenticated(HostingError):
    """No credential, or one that is not valid; the reasons look alike (401, contract 17.1)."""

    status = 401
    code = "not_authenticated"


class Denied(HostingError):
    """The caller is known and may not do this (403, contract 9.4)."""

    status = 403
    code = "denied"


class UnknownReference(HostingError):
    """A session, response, token or checkpoint that is unknown, foreign or expired (404, contract 6.12)."""

    status = 404
    code = "unknown_reference"


class SessionRequired(HostingError):
    """`session_mode="required"` and no session is named (409, contract 6.1)."""

    status = 409
    code = "session_required"


class TurnInProgress(HostingError):
    """The session, or the parent named by the request, has a turn under way (409, contract 6.6, 6.7)."""

    status = 409
    code = "turn_in_progress"


class AlreadyAnswered(HostingError):
    """The open request was answered before, in this branch or another (409, contract 6.6)."""

    status = 409
    code = "already_answered"


class ForkUnsupported(HostingError):
    """The target keeps its history where it cannot be forked (409, contract 6.6)."""

    status = 409
    code = "fork_unsupported"


class HookRejected(HostingError):
    """Raised by a run hook to refuse a request (contract 5.1).

    Args:
        message: Reaches the client as it is.
        status: HTTP status for channels that have one.
        code: Stable code for programs.
    """

    def __init__(self, message: str, *, status: int = 422, code: str = "request_rejected") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class RateLimited(HostingError):
    """Run slots and queue are full (429 with `Retry-After`, contract 16.1)."""

    status = 429
    code = "rate_limited"


class RunFailed(HostingError):
    """The target, a hook or a commit failed; the client learns an id and nothing else (contract 14.2).

    Args:
        error_id: Stands in the log next to the trace.
        code: `internal_error`, `shutting_down`, `interrupted` and the like.
    """

    def __init__(self, error_id: str, *, code: str = "internal_error", message: str | None = None) -> None:
        super().__init__(message or f"The request failed. Quote {error_id} when you report it.")
        self.error_id = error_id
        self.code = code


class NotReady(HostingError):
    """The host is draining, or its store cannot be reached (503 with `Retry-After`)."""

    status = 503
    code = "not_ready"


class RunTimeout(HostingError):
    """The run passed `limits.run_timeout` (504)."""

    status = 504
    code = "run_timeout"


class ChannelConfigurationError(Exception):
    """The app must be changed: a bad option, a missing secret, two channels on one address (contract 1.5).

    Args:
        message: What was found, what was expected, and the change that fixes it; never a secret's value.
        channel: Name of the channel at fault, or None for the host itself.
        field: The option at fault.
    """

    def __init__(self, message: str, *, channel: str | None = None, field: str | None = None) -> None:
        where = ".".join(part for part in (channel or "host", field) if part)
        super().__init__(f"{where}: {message}")
        self.channel = channel
        self.field = field
