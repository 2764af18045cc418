"""Cursor pages: `order`, `after`, `limit` of a query, and the list object that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hosting import RequestError

from .codec import Item

if TYPE_CHECKING:
    from starlette.requests import Request


def page_of(items: Sequence[Item], request: Request) -> dict[str, Any]:
    """The page of `items`, given oldest first, that the query asks for; newest first by default.

    Raises:
        RequestError: A query parameter is wrong, or `after` names no item of the list.
    """
    order, limit = request.query_params.get("order", "desc"), _limit(request.query_params.get("limit"))
    if order not in ("asc", "desc"):
        raise RequestError("Invalid 'order': expected 'asc' or 'desc'.", param="order")
    ordered = list(items) if order == "asc" else list(reversed(items))
    after = request.query_params.get("after")
    start = 0 if after is None else _behind(ordered, after)
    data = ordered[start : start + limit]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else "",
        "last_id": data[-1]["id"] if data else "",
        "has_more": start + limit < len(ordered),
    }


def _limit(value: str | None) -> int:
    if value is None:
        return 20
    if not (value.isascii() and value.isdigit() and len(value) < 4 and 1 <= int(value) <= 100):
        raise RequestError("Invalid 'limit': expected a whole number from 1 to 100.", param="limit")
    return int(value)


def _behind(items: Sequence[Item], after: str) -> int:
    for index, item in enumerate(items):
        if item["id"] == after:
            return index + 1
    raise RequestError("Invalid 'after': there is no such item in this list.", param="after")
