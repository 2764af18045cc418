"""What clients of the real network share."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def trusted_roots() -> ssl.SSLContext:
    """The certificates that clients of httpx trust by default, read once: reading takes 20 ms, and an item makes several clients."""
    return httpx.create_ssl_context()
