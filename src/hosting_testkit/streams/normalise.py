"""Make two runs of one conversation comparable: ids and times lose their values and keep their relations.

Ids are renamed by first appearance (`resp_#1`), times count from the first one, keys are sorted. Order, repeats and
which id stands where are never touched: two streams are equal afterwards only if they differ in nothing but the values
of ids and the moment at which they began.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from .sse import SSEEvent

_ID_KEY = re.compile(r"(?:^|_)ids?$|(?<=[a-z])I[dD]s?$")
_TIME_KEY = re.compile(r"(?:^|_)(?:at|timestamp|date|created)$|[a-z](?:At|Timestamp)$")
_PREFIXED = re.compile(r"([A-Za-z][A-Za-z0-9]*)_.+", re.DOTALL)
_LIKE_A_NAME = re.compile(r"^(\w+_|t)#")
_MILLISECONDS = 1e11
"""Numbers from here on are taken for epoch milliseconds: as seconds they would lie after the year 5000."""


def is_id_key(key: str) -> bool:
    """True for `id`, `item_id`, `call_ids`, `taskId`: their value, or each of their values, is an id."""
    return _ID_KEY.search(key) is not None


def is_time_key(key: str) -> bool:
    """True for `created_at`, `timestamp`, `date`, `created`, `createdAt`: epoch seconds or ms, or ISO 8601."""
    return _TIME_KEY.search(key) is not None


def normalise(
    events: Iterable[object],
    *,
    is_id: Callable[[str], bool] = is_id_key,
    is_time: Callable[[str], bool] = is_time_key,
) -> list[Any]:
    """One stream of JSON values in its normal form.

    An id is a string or a whole number under a key for which `is_id` is true. It keeps its prefix (`resp_x9` becomes
    `resp_#1`); without one it is named after its key (`task_id: "x9"` becomes `task_#1`). An id with a prefix is also
    found where it is quoted under another key, if it is the whole string. Numbers under a time key become the
    difference to the first time of the stream, ISO 8601 texts become `t#+1.5` (seconds).
    """
    stream = [_plain(event) for event in events]
    names = _Names(is_id, is_time)
    for event in stream:
        names.learn(event)
    return [names.rename(event) for event in stream]


def normalise_sse(events: Iterable[SSEEvent]) -> list[Any]:
    """The normal form of an SSE stream; `data` that is JSON is decoded first."""
    return normalise({**asdict(event), "data": _decoded(event.data)} for event in events)


def _decoded(data: str) -> object:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data


def _plain(value: object) -> object:
    """The value as dicts with sorted keys, lists and scalars."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value)
        return {key: _plain(items[key]) for key in sorted(items)}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item) for item in cast("Sequence[object]", value)]
    raise TypeError(
        f"found {type(value).__name__}, expected a JSON value: decode the event before normalising it"
    )


def _fields(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Every scalar with the key it stands under; items of a list stand under the key of the list."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, object]", value).items():
            yield from _fields(item, name)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _fields(item, key)
    else:
        yield key, value


class _Names:
    """What one stream's ids are called and when it began."""

    def __init__(self, is_id: Callable[[str], bool], is_time: Callable[[str], bool]) -> None:
        self._is_id = is_id
        self._is_time = is_time
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._began: float | None = None

    def learn(self, event: object) -> None:
        for key, value in _fields(event):
            if self._is_id(key) and _is_id_value(value):
                self._learn_id(key, str(value))
            elif self._is_time(key) and self._began is None:
                self._began = _seconds(value)

    def _learn_id(self, key: str, value: str) -> None:
        if value not in self._names:
            prefix = _PREFIXED.fullmatch(value)
            kind = prefix[1] if prefix else _ID_KEY.sub("", key) or "id"
            self._counts[kind] += 1
            self._names[value] = f"{kind}_#{self._counts[kind]}"

    def rename(self, value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {name: self.rename(item, name) for name, item in cast("dict[str, object]", value).items()}
        if isinstance(value, list):
            return [self.rename(item, key) for item in cast("list[object]", value)]
        if self._is_id(key) and _is_id_value(value):
            name = self._names[str(value)]
            return name if isinstance(value, str) else f"{name}:int"
        if self._is_time(key) and (seconds := _seconds(value)) is not None:
            return self._since_began(value, seconds)
        return self._quoted(value) if isinstance(value, str) else value

    def _since_began(self, value: object, seconds: float) -> object:
        passed = round(seconds - (self._began or 0.0), 6)
        if isinstance(value, str):
            return f"t#{passed:+}"
        passed *= 1000 if _in_milliseconds(value) else 1
        return round(passed) if isinstance(value, int) else passed

    def _quoted(self, text: str) -> str:
        if text in self._names and _PREFIXED.fullmatch(text):
            return self._names[text]
        # A text that looks like one of our names gets one more mark, so that it is never taken for one.
        return _LIKE_A_NAME.sub(r"\1##", text)


def _is_id_value(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _seconds(value: object) -> float | None:
    """Epoch seconds, or `None` if the value is no time."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / 1000 if _in_milliseconds(value) else float(value)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _in_milliseconds(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) >= _MILLISECONDS
