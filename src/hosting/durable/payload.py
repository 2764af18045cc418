"""What a task carries: JSON, checked when it is scheduled (contract 11.1)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

from .policy import TaskRejected


class DurableTaskPayloadMode(Enum):
    """How payloads are kept. There is one way."""

    JSON = "json"


class PushPayloadNotSerializable(TypeError):
    """The payload is not JSON, so that a later attempt could not have it; nothing was scheduled."""


class PayloadUndecodable(TaskRejected):
    """A stored payload cannot be read; the task is dead, since another attempt would not read it either."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="undecodable_payload")


def encode_payload(payload: Any) -> str:
    """`payload` as JSON text, from which exactly what was given comes back (a tuple as a list).

    The text is ASCII, so any store keeps any string, a NUL or half of a surrogate pair included.

    Raises:
        PushPayloadNotSerializable: It holds something that JSON has no form for; names the place, not the value.
    """
    try:
        return json.dumps(_plain(payload, "payload"), allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise _refused("payload", "a structure that contains itself or is nested too deeply") from None
    except ValueError:
        raise _refused("payload", "an int of thousands of digits") from None


def decode_payload(text: str) -> Any:
    """What `encode_payload` was given.

    Raises:
        PayloadUndecodable: The text is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise PayloadUndecodable(
            f"found a payload that is no JSON ({type(error).__name__}): it was not written by this runner, "
            "or was changed in the store"
        ) from None


def _plain(value: Any, where: str) -> Any:
    if value is None or type(value) in (str, bool, int):
        return value
    if type(value) is float:
        if math.isfinite(value):
            return value
        raise _refused(where, "a number that is not finite")
    if isinstance(value, Mapping):
        return _plain_object(cast("Mapping[Any, Any]", value), where)
    if isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        return [_plain(item, f"{where}[{number}]") for number, item in enumerate(items)]
    raise _refused(where, f"a {type(value).__name__}")


def _plain_object(value: Mapping[Any, Any], where: str) -> dict[str, Any]:
    for key in value:
        if type(key) is not str:
            raise _refused(where, f"a key of type {type(key).__name__}")
    return {key: _plain(item, f"{where}.{key}") for key, item in value.items()}


def _refused(where: str, found: str) -> PushPayloadNotSerializable:
    return PushPayloadNotSerializable(
        f"{where}: found {found}, expected JSON: None, bool, int, finite float, str, list, or dict with str keys. "
        "Convert it before you schedule the task."
    )
