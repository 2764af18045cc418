"""Compaction without loss: the old items, packed into one opaque item that a client can give back.

Nothing is summarised and no model runs. It is not a secret and not signed: whoever holds it could as well send the
items themselves.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any, NoReturn, cast

import msgspec

from hosting import RequestError

from .wire import Item

_PREFIX = "hosting1."
MAX_UNPACKED_BYTES = 64 * 1024 * 1024


def pack(items: Sequence[Item]) -> str:
    """The `encrypted_content` of a compaction item."""
    return _PREFIX + base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(items))).decode()


def unpack(packed: str, param: str) -> list[Any]:
    """The items that `pack` was given.

    Raises:
        RequestError: It was packed elsewhere, is damaged, or is larger than `MAX_UNPACKED_BYTES`.
    """
    if not packed.startswith(_PREFIX):
        _refuse(param)
    inflate = zlib.decompressobj()
    try:
        raw = inflate.decompress(base64.urlsafe_b64decode(packed[len(_PREFIX) :]), MAX_UNPACKED_BYTES)
        items = msgspec.json.decode(raw)
    except (ValueError, zlib.error, RecursionError):
        _refuse(param)
    return cast("list[Any]", items) if inflate.eof and isinstance(items, list) else _refuse(param)


def _refuse(param: str) -> NoReturn:
    raise RequestError(f"'{param}' is not a compaction of this server.", param=param)
