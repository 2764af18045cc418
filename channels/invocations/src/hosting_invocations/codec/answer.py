"""The answer object, and the events of a stream as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from agent_framework import Content, UsageDetails

from hosting.web import sse_event

from .fold import Event
from .items import Item, item_of

Answer = dict[str, Any]
"""The object that answers an invocation; see `new_answer`."""

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEnd:
    """How an invocation ended.

    Args:
        status: How it ended.
        messages: What was said.
        requests: What the caller can answer in its next turn.
        usage: Tokens, where they are known.
        error: Code and message, for failed ones.
    """

    status: str
    messages: Sequence[Item] = ()
    requests: Sequence[Content] = ()
    usage: UsageDetails | None = None
    error: Mapping[str, str] | None = None


def new_answer(invocation_id: str, session_id: str, *, status: str = "in_progress") -> Answer:
    """An answer as it begins; all its keys are there from the start."""
    return {
        "invocation_id": invocation_id,
        "session_id": session_id,
        "status": status,
        "output": "",
        "messages": [],
        "requests": [],
        "usage": None,
        "error": None,
    }


def ended(answer: Answer, end: AnswerEnd) -> Answer:
    """The answer as it ended. Its `output` is all text of the answer, which is what the deltas add up to."""
    return {
        **answer,
        "status": end.status,
        "output": "".join(item["text"] for item in _items(end.messages) if item["type"] == "text"),
        "messages": list(end.messages),
        "requests": [item_of(request) for request in end.requests],
        "usage": _usage(end.usage),
        "error": end.error,
    }


def frame(events: Iterable[Event]) -> bytes:
    """Events as server-sent events, in one piece."""
    return b"".join(sse_event(encode(data), event=name) for name, data in events)


def numbered_frame(events: Iterable[tuple[int, Event]]) -> bytes:
    """Events that can be read again behind any of them: each has its number as its id."""
    return b"".join(sse_event(encode(data), event=name, id=str(seq)) for seq, (name, data) in events)


def terminal(answer: Answer) -> Event:
    """The last event of a stream: named for the status, with the whole answer."""
    return answer["status"], answer


def replayed(answer: Answer) -> Iterator[Event]:
    """A stored answer as the events that it would have been streamed in."""
    for number, message in enumerate(answer["messages"]):
        head = {key: value for key, value in message.items() if key != "content"}
        for index, item in enumerate(message["content"]):
            place = {"message": number, "item": index, **head}
            if item["type"] in ("text", "refusal") and "annotations" not in item:
                yield "delta", {**place, "type": item["type"], "text": item["text"]}
            else:
                yield "item", {**place, "content": item}
    yield terminal(answer)


def _items(messages: Iterable[Item]) -> Iterator[Item]:
    return (item for message in messages for item in message["content"])


def _usage(usage: UsageDetails | None) -> Mapping[str, int] | None:
    if not usage:
        return None
    counts = {name: usage.get(f"{name}_token_count") or 0 for name in ("input", "output", "total")}
    return {f"{name}_tokens": count for name, count in counts.items()}
