"""Reading event streams strictly and comparing them."""

from __future__ import annotations

from .normalise import is_id_key, is_time_key, normalise, normalise_sse
from .sse import (
    SSEComment,
    SSEEvent,
    SSEFormatError,
    SSEParser,
    SSEReading,
    SSERecord,
    SSEViolation,
    sse_events,
    sse_records,
    validate_sse,
)

__all__ = [
    "SSEComment",
    "SSEEvent",
    "SSEFormatError",
    "SSEParser",
    "SSEReading",
    "SSERecord",
    "SSEViolation",
    "is_id_key",
    "is_time_key",
    "normalise",
    "normalise_sse",
    "sse_events",
    "sse_records",
    "validate_sse",
]
