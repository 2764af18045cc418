"""How a real model client ends what it streams: each content with the whole of it, the answer with a reason."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any, Literal

from agent_framework import Content

from .steps import NextMessage, Piece

Pieces = AsyncGenerator[Piece | NextMessage, None]
ItemKey = tuple[str, str | None, Any]


async def finished(pieces: Pieces) -> Pieces:
    """Adds why the model stopped, where the script does not say it."""
    reason: Literal["stop", "tool_calls"] = "stop"
    said = False
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Piece):
                said |= piece.finish_reason is not None
                reason = "tool_calls" if _calls(piece.contents) else reason
            yield piece
    if not said:
        yield Piece(finish_reason=reason)


async def closed(pieces: Pieces) -> Pieces:
    """Marks deltas as `append` and ends every run of one content with the whole of it as `replace`."""
    open_item: Content | None = None
    async with aclosing(pieces):
        async for piece in pieces:
            content = piece.contents[0] if isinstance(piece, Piece) and piece.contents else None
            if open_item is not None and (content is None or _key(content) != _key(open_item)):
                yield Piece([open_item])
                open_item = None
            if content is not None and _key(content):
                content.merge_mode = content.merge_mode or "append"
                open_item = _whole(open_item, content)
            yield piece
    if open_item is not None:
        yield Piece([open_item])


def _calls(contents: Iterable[Content]) -> bool:
    return any(content.type == "function_call" for content in contents)


def _key(content: Content) -> ItemKey | None:
    """What contents have in common that core folds into one; None for those it does not fold."""
    if content.type not in ("text", "text_reasoning", "function_call"):
        return None
    return content.type, content.call_id, content.additional_properties.get("model_output_kind")


def _whole(so_far: Content | None, content: Content) -> Content:
    whole = copy.copy(content) if so_far is None else so_far + content
    whole.merge_mode = "replace"
    return whole
