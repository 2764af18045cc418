"""`hosting-testkit`: the conformance kit without pytest."""

from .main import main

__all__ = ["main"]
