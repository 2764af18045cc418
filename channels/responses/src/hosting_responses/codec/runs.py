"""Output items as they grow: each opens, takes deltas, and closes, and says so in events.

An item is one run of one content type within a message (contract 7.2). These builders know one item each and nothing of
the stream around them; events get their `sequence_number` where they are joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from .wire import Event, Item

ItemStatus = Literal["completed", "incomplete"]
Merge = Literal["same", "added", "differs"]

_encode = msgspec.json.Encoder().encode


class Run(Protocol):
    """An output item under construction."""

    item: Item

    def open(self) -> Iterator[Event]: ...

    def close(self, status: ItemStatus) -> Iterator[Event]: ...


class TextRun:
    """A `message` item with one part: text, or a refusal."""

    def __init__(self, item_id: str, index: int, *, refusal: bool = False) -> None:
        self.refusal = refusal
        self.item: Item = {
            "type": "message",
            "id": item_id,
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        self._place = {"item_id": item_id, "output_index": index, "content_index": 0}
        self._name = "response.refusal" if refusal else "response.output_text"
        self._pieces: list[str] = []
        self._annotations: list[Item] = []

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def open(self) -> Iterator[Event]:
        yield {
            "type": "response.output_item.added",
            "output_index": self._place["output_index"],
            "item": dict(self.item),
        }
        yield {"type": "response.content_part.added", **self._place, "part": self._part("", [])}

    def add(self, text: str) -> Event:
        self._pieces.append(text)
        if self.refusal:
            return {"type": "response.refusal.delta", **self._place, "delta": text}
        return {"type": "response.output_text.delta", **self._place, "logprobs": [], "delta": text}

    def annotate(self, annotations: Sequence[Item]) -> Iterator[Event]:
        """Adds the annotations that the part does not have yet; a refusal has none."""
        for annotation in annotations:
            if not self.refusal and annotation not in self._annotations:
                place = {**self._place, "annotation_index": len(self._annotations)}
                self._annotations.append(annotation)
                yield {"type": "response.output_text.annotation.added", **place, "annotation": annotation}

    def close(self, status: ItemStatus) -> Iterator[Event]:
        text = self.text
        part = self._part(text, self._annotations)
        if self.refusal:
            yield {"type": "response.refusal.done", **self._place, "refusal": text}
        else:
            yield {"type": "response.output_text.done", **self._place, "logprobs": [], "text": text}
        yield {"type": "response.content_part.done", **self._place, "part": part}
        self.item = {**self.item, "status": status, "content": [part]}
        yield {
            "type": "response.output_item.done",
            "output_index": self._place["output_index"],
            "item": self.item,
        }

    def _part(self, text: str, annotations: list[Item]) -> Item:
        if self.refusal:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


class ReasoningRun:
    """A `reasoning` item: a summary, or the reasoning itself (`raw`)."""

    def __init__(self, item_id: str, index: int, *, raw: bool = False) -> None:
        self.encrypted: str | None = None
        self._raw = raw
        self._source_id: str | None = None
        self.item: Item = {"type": "reasoning", "id": item_id, "status": "in_progress", "summary": []}
        self._index = index
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def takes(self, source_id: str | None, *, raw: bool, has_text: bool) -> bool:
        """Whether a piece belongs here: not if it has another id, or is of the other kind."""
        if self._source_id and source_id and self._source_id != source_id:
            return False
        return not (has_text and self._pieces and raw != self._raw)

    def open(self) -> Iterator[Event]:
        yield {"type": "response.output_item.added", "output_index": self._index, "item": dict(self.item)}

    def add(self, text: str, *, source_id: str | None, raw: bool) -> Iterator[Event]:
        self._source_id = self._source_id or source_id
        if not text:
            return
        if not self._pieces:
            self._raw = raw
            yield {"type": f"{self._part_name}.added", **self._place, "part": self._part("")}
        self._pieces.append(text)
        yield {"type": f"{self._text_name}.delta", **self._place, "delta": text}

    def close(self, status: ItemStatus) -> Iterator[Event]:
        item = {**self.item, "status": status}
        if self._pieces:
            text = self.text
            part = self._part(text)
            yield {"type": f"{self._text_name}.done", **self._place, "text": text}
            yield {"type": f"{self._part_name}.done", **self._place, "part": part}
            item["content" if self._raw else "summary"] = [part]
        if self.encrypted is not None:
            item["encrypted_content"] = self.encrypted
        self.item = item
        yield {"type": "response.output_item.done", "output_index": self._index, "item": item}

    @property
    def _place(self) -> Event:
        part_index = "content_index" if self._raw else "summary_index"
        return {"item_id": self.item["id"], "output_index": self._index, part_index: 0}

    @property
    def _part_name(self) -> str:
        return "response.content_part" if self._raw else "response.reasoning_summary_part"

    @property
    def _text_name(self) -> str:
        return "response.reasoning_text" if self._raw else "response.reasoning_summary_text"

    def _part(self, text: str) -> Item:
        return {"type": "reasoning_text" if self._raw else "summary_text", "text": text}


class CallRun:
    """A `function_call` item; its arguments come in pieces of JSON, or as one mapping that is sent at the end.

    Args:
        item_id: The item's id.
        index: Its place in the output.
        call_id: The call's id in core.
        wire_id: The call's id on the wire, unique within the response.
        name: The tool.
    """

    def __init__(self, item_id: str, index: int, *, call_id: str, wire_id: str, name: str) -> None:
        self.call_id = call_id
        self.occurrence: str | None = None
        self.closed = False
        self.item: Item = {
            "type": "function_call",
            "id": item_id,
            "call_id": wire_id,
            "name": name,
            "arguments": "",
            "status": "in_progress",
        }
        self._place = {"item_id": item_id, "output_index": index}
        self._index = index
        self._pieces: list[str] = []
        self._mapping: dict[str, Any] = {}

    @property
    def arguments(self) -> str:
        return _encode(self._mapping).decode() if self._mapping else "".join(self._pieces)

    def open(self) -> Iterator[Event]:
        yield {"type": "response.output_item.added", "output_index": self._index, "item": dict(self.item)}

    def add(self, arguments: str | Mapping[str, Any]) -> Iterator[Event]:
        if not isinstance(arguments, str):
            self._mapping.update(arguments)
        elif arguments:
            yield from self._delta(arguments)

    def close(self, status: ItemStatus) -> Iterator[Event]:
        self.closed = True
        if self._mapping:
            yield from self._delta(self.arguments)
        arguments = self.arguments
        yield {"type": "response.function_call_arguments.done", **self._place, "arguments": arguments}
        self.item = {**self.item, "arguments": arguments, "status": status}
        yield {"type": "response.output_item.done", "output_index": self._index, "item": self.item}

    def _delta(self, arguments: str) -> Iterator[Event]:
        self._pieces.append(arguments)
        yield {"type": "response.function_call_arguments.delta", **self._place, "delta": arguments}


class WholeRun:
    """An item that has no deltas: it opens with what is known and closes with all of it."""

    def __init__(self, index: int, item: Item) -> None:
        self.item = item
        self._index = index

    def open(self) -> Iterator[Event]:
        yield {"type": "response.output_item.added", "output_index": self._index, "item": dict(self.item)}

    def close(self, status: ItemStatus) -> Iterator[Event]:
        if self.item.get("status") == "in_progress":
            self.item = {**self.item, "status": _whole_status(self.item, status)}
        yield {"type": "response.output_item.done", "output_index": self._index, "item": self.item}


def _whole_status(item: Item, status: ItemStatus) -> str:
    """`image_generation_call` has no status `incomplete`."""
    return "failed" if status == "incomplete" and item["type"] == "image_generation_call" else status
