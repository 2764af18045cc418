"""Hosts for tests."""

from .memory_host import BASE_URL, InMemoryHost

__all__ = ["BASE_URL", "InMemoryHost"]
