"""What the author of a channel writes for the conformance kit: one driver."""

from .base import ChannelDriver, HookMissing
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
from .trouble import PlatformAnswer
from .turn import Attachment, Inbound, Turn, json_body
from .webhook_bot import WebhookBotDriver
from .wire import Delta, Error, File, Out, PlatformCall, Removed, Reply, Terminal, Text, Wire

__all__ = [
    "IMPOSSIBLE",
    "NOT_IMPLEMENTED",
    "SUPPORTED",
    "UNKNOWN",
    "UNSTABLE",
    "Attachment",
    "Capabilities",
    "ChannelDriver",
    "Claim",
    "Delta",
    "Env",
    "Error",
    "File",
    "HookMissing",
    "HttpJsonDriver",
    "Inbound",
    "Out",
    "PlatformAnswer",
    "PlatformCall",
    "Removed",
    "Reply",
    "Terminal",
    "Text",
    "Turn",
    "WebhookBotDriver",
    "Wire",
    "bearer",
    "json_body",
]
