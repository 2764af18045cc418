"""Serves a `hosting` target over the Foundry invocations protocol."""

from .channel import InvocationsChannel
from .codec import ParsedInvocation
from .routes import InvocationParser

__all__ = ["InvocationParser", "InvocationsChannel", "ParsedInvocation"]
