"""From updates to events: one state machine for streams and one-shot answers.

- It folds as `AgentResponse.from_updates` does: a new message begins when the message id, the author or the role
  changes; within it, adjacent text is one item; pieces of a call belong together by `call_id`.
- Text that was sent cannot be taken back: a replacement that is equal sends nothing, a longer one the rest, a different
  one a new item (contract 7.2). Other items are sent whole, and again if they grew: the last event of an item counts.
- What `messages` gives in the end is what the events have said, item by item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_framework import AgentResponseUpdate, Content, Message, UsageDetails, add_usage_details

from .items import Item, annotations_of, cleaned, head_of, is_refusal, item_of
from .runs import Run, TextRun, WholeRun

Event = tuple[str, dict[str, Any]]
"""Name and data."""

_IN_PIECES = frozenset(
    {
        "text",
        "text_reasoning",
        "function_call",
        "code_interpreter_tool_call",
        "code_interpreter_tool_result",
    }
)
"""Contents that more may follow to; any other is told at once."""


@dataclass(slots=True)
class _Open:
    """The message that contents go into at the moment; it is part of the answer once it holds something."""

    head: Message = field(default_factory=lambda: Message("assistant", []))
    begun: bool = False
    number: int | None = None
    runs: list[Run | None] = field(
        default_factory=list["Run | None"]
    )  # None: an empty text, which is no item

    def ends_before(self, update: AgentResponseUpdate) -> bool:
        head = self.head
        return self.begun and bool(
            (update.message_id and head.message_id and update.message_id != head.message_id)
            or (update.author_name and head.author_name and update.author_name != head.author_name)
            or (update.role and update.role != head.role)
        )

    def take(self, update: AgentResponseUpdate) -> None:
        head = self.head
        self.begun = True
        head.message_id = update.message_id or head.message_id
        head.author_name = update.author_name if update.author_name is not None else head.author_name
        head.role = update.role or head.role


class AnswerFold:
    """Feed it a turn's updates or messages; it answers with the events that they cause."""

    def __init__(self) -> None:
        self._messages: list[tuple[Item, list[Run]]] = []
        self._open = _Open()
        self._untold: list[Run] = []
        self._growing: str | None = None
        self._occurrences: dict[str, WholeRun] = {}
        self._events: list[Event] = []
        self.usage: UsageDetails | None = None

    def feed(self, updates: Sequence[AgentResponseUpdate]) -> list[Event]:
        """The events of updates that came together."""
        for update in updates:
            self._update(update)
        return self._taken()

    def feed_message(self, message: Message) -> list[Event]:
        """The events of one message of a finished answer."""
        self._open = _Open(head=message)
        for content in message.contents:
            self._content(content)
            self._open.runs, self._occurrences = [], {}  # what core has folded does not join again
        return self.flush()

    def flush(self) -> list[Event]:
        """The events of what was not told yet."""
        self._tell()
        return self._taken()

    def messages(self) -> list[Item]:
        """The answer so far, as JSON."""
        return [{**head, "content": [run.item() for run in runs]} for head, runs in self._messages]

    def _update(self, update: AgentResponseUpdate) -> None:
        if self._open.ends_before(update):
            self._tell()
            self._open = _Open()
        self._open.take(update)
        contents: Sequence[Content] = update.contents
        if update.merge_mode == "replace":
            contents = self._new_in(contents)
        for content in contents:
            self._content(content)
        if update.finish_reason is not None:
            self._tell()

    def _content(self, content: Content) -> None:
        if content.type != self._growing:
            self._tell()
            self._growing = content.type
        match content.type:
            case "text":
                self._text(content)
            case "function_call":
                self._call(content)
            case "usage":
                replace = content.merge_mode == "replace"
                self.usage = add_usage_details(None if replace else self.usage, content.usage_details)
            case _:
                self._whole(content)
        if content.type not in _IN_PIECES:
            self._tell()

    def _text(self, content: Content) -> None:
        run, text = self._last(), cleaned(content.text or "")
        rest: str | None = None
        if isinstance(run, TextRun) and run.takes(content):
            rest = run.rest_of(text) if content.merge_mode == "replace" else text
        elif not text:
            self._open.runs.append(None)
            return
        if not isinstance(run, TextRun) or rest is None:
            run = self._open_text(content)
            self._say(run, text)
        elif rest:
            self._say(run, rest)
        for note in annotations_of(content):
            if note not in run.annotations:
                run.annotations.append(note)
                self._grew(run)

    def _call(self, content: Content) -> None:
        run = self._call_for(content)
        if run is None:
            run = self._open_whole(content)
        else:
            run.add(content)
            self._grew(run)
        if content.id:
            self._occurrences[content.id] = run

    def _call_for(self, content: Content) -> WholeRun | None:
        if content.id and content.id in self._occurrences:
            return self._occurrences[content.id]
        runs = self._open.runs if content.call_id else self._open.runs[-1:]
        calls = (run for run in reversed(runs) if isinstance(run, WholeRun) and run.takes_call(content))
        return next(calls, None)

    def _whole(self, content: Content) -> None:
        last = self._last()
        run = last if isinstance(last, WholeRun) and last.takes(content) else None
        run = run or next(
            (run for run in self._open.runs if isinstance(run, WholeRun) and run.takes_code(content)), None
        )
        if run is None:
            self._open_whole(content)
        else:
            run.add(content)
            self._grew(run)

    def _new_in(self, contents: Sequence[Content]) -> Sequence[Content]:
        """What is new in an update that replaces its message: all from the first difference to what was sent on."""
        sent, same = self._open.runs, 0
        for run, content in zip(sent, contents, strict=False):
            if run is None or run.item() != item_of(content):
                break
            same += 1
        rest = contents[same:]
        if same == len(sent) - 1 and rest and self._grows(sent[same], rest[0]):
            return rest[1:]
        if same < len(sent):
            self._open.runs = []  # what follows is a new item, not more of one that was replaced
        return rest

    def _grows(self, run: Run | None, content: Content) -> bool:
        """Sends what `content` has more than the text that was sent; False if that is no part of it."""
        if not (isinstance(run, TextRun) and run.takes(content)):
            return False
        more = run.rest_of(cleaned(content.text or ""))
        if more:
            self._say(run, more)
        return more is not None

    def _last(self) -> Run | None:
        return self._open.runs[-1] if self._open.runs else None

    def _open_text(self, content: Content) -> TextRun:
        number, runs = self._place()
        run = TextRun(message=number, index=len(runs), refusal=is_refusal(content))
        self._join(runs, run)
        return run

    def _open_whole(self, content: Content) -> WholeRun:
        number, runs = self._place()
        run = WholeRun(message=number, index=len(runs))
        run.add(content)
        self._join(runs, run)
        self._grew(run)
        return run

    def _place(self) -> tuple[int, list[Run]]:
        """The number of the open message, and its items; an empty message is not part of the answer."""
        if self._open.number is None:
            self._open.number = len(self._messages)
            self._messages.append((head_of(self._open.head), []))
        return self._open.number, self._messages[self._open.number][1]

    def _join(self, runs: list[Run], run: Run) -> None:
        runs.append(run)
        self._open.runs.append(run)

    def _say(self, run: TextRun, text: str) -> None:
        """Joins what waits for the same item into one event."""
        run.add(text)
        place = {"message": run.message, "item": run.index}
        if self._events:
            name, data = self._events[-1]
            if name == "delta" and all(data[key] == number for key, number in place.items()):
                data["text"] += text
                return
        kind = "refusal" if run.refusal else "text"
        self._events.append(
            ("delta", {**place, **self._messages[run.message][0], "type": kind, "text": text})
        )

    def _grew(self, run: Run) -> None:
        if run not in self._untold:
            self._untold.append(run)

    def _tell(self) -> None:
        for run in self._untold:
            head = self._messages[run.message][0]
            self._events.append(
                ("item", {"message": run.message, "item": run.index, **head, "content": run.item()})
            )
        self._untold = []

    def _taken(self) -> list[Event]:
        events, self._events = self._events, []
        return events
