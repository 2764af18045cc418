"""The judges that this project did not write: OpenAI's own types and those of the Open Responses specification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import openresponses_types.types as openresponses
from openai._models import construct_type_unchecked
from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

_EVENT_TYPE: Any = ResponseStreamEvent
_EVENT = TypeAdapter[Any](_EVENT_TYPE)
_OPEN_ITEMS = {"message", "function_call", "function_call_output", "reasoning", "compaction"}
_TERMINAL = {"response.completed", "response.failed", "response.incomplete"}


def check_response(response: Mapping[str, Any]) -> Response:
    """Validates a response object by both; items that Open Responses does not know are OpenAI's alone."""
    parsed = Response.model_validate(response, strict=True)
    assert not list(_unknown(parsed)), response
    if all(_is_open(item) for item in response["output"]):
        openresponses.ResponseResource.model_validate(response)
    return parsed


def check_stream(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Validates a whole stream: each event, their order, their ids; the final response object.

    Returns:
        The final response object.
    """
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    for event in events:
        parsed = _EVENT.validate_python(event)
        assert parsed.type == event["type"]
        assert not list(_unknown(parsed)), event
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert [event["type"] for event in events if event["type"] in _TERMINAL] == [events[-1]["type"]]
    final = events[-1]["response"]
    check_response(final)
    _check_items(events, final["output"])
    return final


def accumulated(events: Iterable[Mapping[str, Any]]) -> Response:
    """What the official client's accumulator makes of a stream that completes."""
    state = ResponseStreamState[Any](input_tools=omit, text_format=omit)
    completed: Response | None = None
    for event in events:
        for fired in state.handle_event(construct_type_unchecked(type_=_EVENT_TYPE, value=dict(event))):
            if fired.type == "response.completed":
                completed = fired.response
    assert completed is not None, "the stream did not complete"
    return completed


def _check_items(events: Sequence[Mapping[str, Any]], output: Sequence[Mapping[str, Any]]) -> None:
    """Each item is added once and done once, under one id and index, and the final object holds the same."""
    added = {
        event["output_index"]: event["item"]
        for event in events
        if event["type"].endswith("output_item.added")
    }
    done = {
        event["output_index"]: event["item"] for event in events if event["type"].endswith("output_item.done")
    }
    assert sorted(added) == sorted(done) == list(range(len(output)))
    for index, item in enumerate(output):
        assert done[index] == item
        assert (added[index]["id"], added[index]["type"]) == (item["id"], item["type"])
    opened: set[int] = set()
    for event in events:
        if event["type"] == "response.output_item.added":
            opened.add(event["output_index"])
        elif event["type"] == "response.output_item.done":
            opened.remove(event["output_index"])
        elif "item_id" in event:
            assert event["output_index"] in opened, event
            assert event["item_id"] == output[event["output_index"]]["id"]
    _check_deltas(events, output)


def _check_deltas(events: Sequence[Mapping[str, Any]], output: Sequence[Mapping[str, Any]]) -> None:
    """What was streamed adds up to what the final item says."""
    streamed: dict[int, str] = {}
    for event in events:
        if event["type"].endswith(".delta"):
            streamed[event["output_index"]] = streamed.get(event["output_index"], "") + event["delta"]
    for index, item in enumerate(output):
        if item["type"] in ("message", "reasoning", "function_call"):
            assert streamed.get(index, "") == said_in(item)


def _unknown(value: Any) -> Iterator[str]:
    """The fields, at any depth, that OpenAI's types do not have; those of Open Responses' response object are fine."""
    if isinstance(value, BaseModel):
        known = openresponses.ResponseResource.model_fields if isinstance(value, Response) else {}
        yield from (value.model_extra or {}).keys() - known.keys()
        yield from _unknown([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, list):
        for item in value:
            yield from _unknown(item)


def _is_open(item: Mapping[str, Any]) -> bool:
    """Whether Open Responses has a schema for an item, and for all of its annotations."""
    parts = item.get("content") or ()
    annotations = [annotation["type"] for part in parts for annotation in part.get("annotations", ())]
    return item["type"] in _OPEN_ITEMS and set(annotations) <= {"url_citation"}


def said_in(item: Mapping[str, Any]) -> str:
    """The one text of an item: of a message, of reasoning, of a call's arguments."""
    if item["type"] == "function_call":
        return item["arguments"]
    parts = item.get("content") or item.get("summary") or []
    return "".join(part.get("text", part.get("refusal", "")) for part in parts)
