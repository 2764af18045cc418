"""What channels share that show a target's answer as messages. Knows nothing of the host."""

from .chunker import split_utf16, utf16_length
from .group_mode import GroupMode, accepted_in_group
from .loop_guard import LoopGuard
from .one_poller import OnePoller
from .open_requests import OpenRequests, handle_of
from .shown import OutboundFile, placeholder, shown_item, shown_items
from .streaming import StreamedItems, text_items

__all__ = [
    "GroupMode",
    "LoopGuard",
    "OnePoller",
    "OpenRequests",
    "OutboundFile",
    "StreamedItems",
    "accepted_in_group",
    "handle_of",
    "placeholder",
    "shown_item",
    "shown_items",
    "split_utf16",
    "text_items",
    "utf16_length",
]
