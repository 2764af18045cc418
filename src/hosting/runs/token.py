"""From what the store knows of a background run to what its caller sees (contract 12.1)."""

from __future__ import annotations

import hashlib

import msgspec

from ..delivery.payload import decode_result
from ..errors import HostingError, RunFailed
from ..results import ContinuationToken
from ..state.tables.runs import StoredRun


def token_hash(token: str) -> str:
    """What the store knows of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def continuation_of(run: StoredRun, token: str) -> ContinuationToken:
    """A stored run for whoever has its token."""
    result = decode_result(run.result) if run.result else None
    return ContinuationToken(
        token=token,
        status=run.status,
        isolation_key=run.isolation_key,
        created_at=run.created_ms / 1000,
        completed_at=None if run.completed_ms is None else run.completed_ms / 1000,
        result=result,
        error=error_of(run),
        response_id=run.response_id,
        deliveries=result.deliveries if result else (),
    )


def encode_error(error: HostingError) -> str:
    """What may be told of a failure, as JSON text."""
    return msgspec.json.encode([error.status, error.code, error.message]).decode()


def error_of(run: StoredRun) -> HostingError | None:
    """What a run failed of; None for one that did not."""
    if run.error is None:
        return None
    status, code, message = msgspec.json.decode(run.error)
    error = RunFailed(run.run_id, code=code, message=message)
    error.status = status
    return error
