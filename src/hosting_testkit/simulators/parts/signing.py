"""Signatures of webhook bodies: HMAC-SHA256 over a timestamp and the raw bytes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How a platform signs.

    Args:
        header: The header of the signature.
        timestamp_header: The header of the time in whole epoch seconds; None: the time is not signed.
        prefix: What stands before the hex digits.
        before: What is signed before the body; `{timestamp}` is filled in.
        tolerance: Seconds that the timestamp may be away from the receiver's clock.
    """

    header: str = "x-signature"
    timestamp_header: str | None = "x-timestamp"
    prefix: str = "sha256="
    before: str = "{timestamp}."
    tolerance: float = 300.0

    def headers(self, body: bytes, secret: str, at: float) -> dict[str, str]:
        """The headers of a body that is sent at `at`, in epoch seconds."""
        timestamp = str(int(at))
        headers = {self.header: self._signature(body, secret, timestamp)}
        if self.timestamp_header is not None:
            headers[self.timestamp_header] = timestamp
        return headers

    def verify(self, body: bytes, headers: Mapping[str, str], secret: str, now: float) -> bool:
        """True if a receiver whose clock says `now` should accept; false, never an exception, for anything else."""
        found = {name.lower(): value for name, value in headers.items()}
        timestamp = "0"
        if self.timestamp_header is not None:
            timestamp = found.get(self.timestamp_header.lower(), "")
            if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
                return False
            if abs(now - int(timestamp)) > self.tolerance:
                return False
        signature = found.get(self.header.lower(), "")
        return hmac.compare_digest(self._signature(body, secret, timestamp).encode(), signature.encode())

    def _signature(self, body: bytes, secret: str, timestamp: str) -> str:
        before = "" if self.timestamp_header is None else self.before.format(timestamp=timestamp)
        return self.prefix + hmac.new(secret.encode(), before.encode() + body, hashlib.sha256).hexdigest()
