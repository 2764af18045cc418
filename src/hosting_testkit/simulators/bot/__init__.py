"""A made-up but typical chat platform: see `BotPlatform`."""

from ..parts.markup import Entity
from .app import METHODS, Call
from .behaviours import BEHAVIOURS
from .chats import Button, Chat, File, Message, Person
from .control import controlled
from .core import Command, Press, Sight, Webhook
from .handed import HandedUpdates
from .limits import UNPACED, BotLimits
from .people import Group, Somebody
from .platform import TOKEN, URL, BotPlatform
from .provocations import PROVOCATIONS

__all__ = [
    "BEHAVIOURS",
    "METHODS",
    "PROVOCATIONS",
    "TOKEN",
    "UNPACED",
    "URL",
    "BotLimits",
    "BotPlatform",
    "Button",
    "Call",
    "Chat",
    "Command",
    "Entity",
    "File",
    "Group",
    "HandedUpdates",
    "Message",
    "Person",
    "Press",
    "Sight",
    "Somebody",
    "Webhook",
    "controlled",
]
