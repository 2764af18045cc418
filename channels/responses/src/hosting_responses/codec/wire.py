"""Names for the JSON that goes over the wire, and text that it can carry."""

from __future__ import annotations

import re
from typing import Any

Item = dict[str, Any]
"""An input or output item, or a part of one, as the wire has it."""

Event = dict[str, Any]
"""A stream event as the wire has it."""

_REPEATED = re.compile(r"#[0-9]{1,6}\Z")


def clean(text: str) -> str:
    """`text` with lone surrogates, for which UTF-8 has no place, replaced by U+FFFD (contract 6.10)."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def repeated_call_id(call_id: str, count: int) -> str:
    """The wire's name for the `count`th call of one id: clients know calls by id, and some models repeat theirs."""
    return call_id if count == 1 else f"{call_id}#{count}"


def original_call_id(call_id: str) -> str:
    """The id that `repeated_call_id` was given."""
    return _REPEATED.sub("", call_id)


def item_id(prefix: str, response_id: str, index: int) -> str:
    """The id of an output item. It names its response, so that a reference finds it without an index."""
    return f"{prefix}_{response_id.removeprefix('resp_')}_{index}"
