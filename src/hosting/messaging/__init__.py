"""What channels share that show a target's answer as messages. Knows nothing of the host."""

from .chunker import split_utf16, utf16_length
from .streaming import StreamedItems, text_items

__all__ = ["StreamedItems", "split_utf16", "text_items", "utf16_length"]
