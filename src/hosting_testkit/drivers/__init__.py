"""What the author of a channel writes for the conformance kit: one driver."""

from .base import ChannelDriver
from .capabilities import (
    IMPOSSIBLE,
    NOT_IMPLEMENTED,
    SUPPORTED,
    UNKNOWN,
    UNSTABLE,
    Capabilities,
    Claim,
)
from .env import Env
from .http_json import HttpJsonDriver, bearer
from .turn import Inbound, Turn, json_body
from .webhook_bot import WebhookBotDriver
from .wire import Delta, Error, Out, PlatformCall, Reply, Terminal, Text, Wire

__all__ = [
    "IMPOSSIBLE",
    "NOT_IMPLEMENTED",
    "SUPPORTED",
    "UNKNOWN",
    "UNSTABLE",
    "Capabilities",
    "ChannelDriver",
    "Claim",
    "Delta",
    "Env",
    "Error",
    "HttpJsonDriver",
    "Inbound",
    "Out",
    "PlatformCall",
    "Reply",
    "Terminal",
    "Text",
    "Turn",
    "WebhookBotDriver",
    "Wire",
    "bearer",
    "json_body",
]
