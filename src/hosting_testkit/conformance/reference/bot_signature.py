"""The platform's signature: HMAC-SHA256 over a time and the raw body (contract 17.1)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

TOLERANCE = 300.0
"""Seconds that the signed time may be away from ours."""


def signature_of(raw: bytes, secret: str, timestamp: str) -> str:
    """The value of the header."""
    signed = timestamp.encode("latin-1", "replace") + b"." + raw
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: float) -> bool:
    """Whether one of `secrets` signed these bytes, not long ago; false, never an exception, for anything else."""
    timestamp, given = headers.get("x-timestamp", ""), headers.get("x-signature", "").encode()
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        return False
    valid = [hmac.compare_digest(signature_of(raw, key, timestamp).encode(), given) for key in secrets]
    return any(valid) and abs(now - int(timestamp)) <= TOLERANCE
