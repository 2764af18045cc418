"""The `hosting` command."""

from .main import main

__all__ = ["main"]
