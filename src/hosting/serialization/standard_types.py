"""Forms of the standard library's value types, and of what JSON numbers and objects leave out."""

from __future__ import annotations

import base64
import datetime
import decimal
import uuid

from ..envelope import ReadOnlyMap
from .registry import register_type


def register_standard_types() -> None:
    register_type(int, tag="int", to_json=str, from_json=int)  # beyond 64 bits
    register_type(float, tag="float", to_json=repr, from_json=float)  # nan, inf
    register_type(dict, tag="dict", to_json=lambda value: [[*pair] for pair in value.items()], from_json=dict)
    register_type(tuple, tag="tuple", to_json=list, from_json=tuple)
    register_type(set, tag="set", to_json=list, from_json=set)
    register_type(frozenset, tag="frozenset", to_json=list, from_json=frozenset)
    register_type(bytes, tag="bytes", to_json=_to_base64, from_json=base64.b64decode)
    register_type(datetime.datetime, tag="datetime", to_json=str, from_json=datetime.datetime.fromisoformat)
    register_type(datetime.date, tag="date", to_json=str, from_json=datetime.date.fromisoformat)
    register_type(datetime.time, tag="time", to_json=str, from_json=datetime.time.fromisoformat)
    register_type(
        datetime.timedelta,
        tag="timedelta",
        to_json=lambda value: [value.days, value.seconds, value.microseconds],
        from_json=lambda parts: datetime.timedelta(*parts),
    )
    register_type(uuid.UUID, tag="uuid", to_json=str, from_json=uuid.UUID)
    register_type(decimal.Decimal, tag="decimal", to_json=str, from_json=decimal.Decimal)
    register_type(ReadOnlyMap, tag="map", to_json=ReadOnlyMap.to_dict, from_json=ReadOnlyMap)


def _to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
