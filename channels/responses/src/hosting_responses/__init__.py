"""Serves a `hosting` target over the OpenAI Responses API."""

from .channel import ResponsesChannel

__all__ = ["ResponsesChannel"]
