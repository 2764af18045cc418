"""Platforms in memory or on a socket, for bots of any framework: see `docs/simulators.md`.

`BotPlatform` is a made-up but typical chat platform, `WebhookSender` any service that posts signed events; `parts` is
what both are built of.
"""

from .bot import UNPACED, URL, BotLimits, BotPlatform, Chat, Group, HandedUpdates, Message, Sight, Somebody
from .parts import ONCE, Rate, RedeliveryPolicy, SignatureScheme
from .webhook import WebhookSender

__all__ = [
    "ONCE",
    "UNPACED",
    "URL",
    "BotLimits",
    "BotPlatform",
    "Chat",
    "Group",
    "HandedUpdates",
    "Message",
    "Rate",
    "RedeliveryPolicy",
    "Sight",
    "SignatureScheme",
    "Somebody",
    "WebhookSender",
]
