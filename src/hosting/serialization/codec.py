"""Values as JSON with tags: what JSON cannot say is `{"$type": tag, "value": ...}`."""

from __future__ import annotations

import json
import math
from typing import Any, cast

from .registry import form_of, form_tagged, qualified_name
from .standard_types import register_standard_types

_TAG = "$type"
_VALUE = "value"
_SAME = frozenset({str, bool, type(None)})

register_standard_types()


def to_json(value: Any) -> Any:
    """`value` as JSON values that `from_json` reads.

    Raises:
        UnregisteredType: It holds a value of a type that was not registered.
    """
    cls = cast("Any", type(value))
    if cls in _SAME or (cls is int and -(2**63) <= value < 2**63) or (cls is float and math.isfinite(value)):
        return value
    if cls is list:
        return [to_json(item) for item in value]
    if cls is dict and _TAG not in value and all(type(key) is str for key in value):
        return {key: to_json(item) for key, item in value.items()}
    form = form_of(cls)
    return {_TAG: form.tag, _VALUE: to_json(form.to_json(value))}


def from_json(data: Any) -> Any:
    """The value that `to_json` wrote as `data`.

    Raises:
        UnregisteredType: A tag is unknown.
        ValueError: A tagged value does not fit its type any more.
    """
    if isinstance(data, list):
        return [from_json(item) for item in cast("list[Any]", data)]
    if not isinstance(data, dict):
        return data
    fields = cast("dict[str, Any]", data)
    if _TAG not in fields:
        return {key: from_json(item) for key, item in fields.items()}
    form = form_tagged(fields[_TAG])
    payload = from_json(fields.get(_VALUE))
    try:
        return form.from_json(payload)
    except (TypeError, ValueError, KeyError, AttributeError) as exc:
        raise ValueError(f"a stored {form.tag} does not fit {qualified_name(form.cls)} any more") from exc


def to_text(value: Any) -> str:
    """`value` as JSON text for clients: without tags, not meant to be read back.

    Raises:
        UnregisteredType: It holds a value of a type that was not registered.
    """
    return json.dumps(_without_tags(to_json(value)), ensure_ascii=False)


def _without_tags(data: Any) -> Any:
    if isinstance(data, list):
        return [_without_tags(item) for item in cast("list[Any]", data)]
    if not isinstance(data, dict):
        return data
    fields = cast("dict[str, Any]", data)
    if _TAG in fields:
        return _without_tags(fields[_VALUE])
    return {key: _without_tags(item) for key, item in fields.items()}
