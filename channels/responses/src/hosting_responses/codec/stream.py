"""From updates to events: the one state machine that both streams and one-shot answers go through.

Rules of this module:
- It folds as `AgentResponse.from_updates` does: a new message begins when the message id, the author or the role
  changes; within it, adjacent contents of one type are one item; pieces of a call belong together by `call_id`. Message
  ids repeat between model calls, so no item is keyed by one (core-facts 3.8).
- Text that was sent cannot be taken back. A replacement that is equal sends nothing, a longer one the rest, a different
  one a new item (contract 7.2). The final object lists exactly the items that were streamed.
- No I/O, no clock; ids derive from the response's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from agent_framework import AgentResponseUpdate, Content, Message, UsageDetails, add_usage_details

from . import items
from .annotations import wire_annotations
from .fold import MessageFold, item_grows, item_matches, rest_of
from .runs import CallRun, ItemStatus, ReasoningRun, Run, TextRun, WholeRun
from .wire import Event, Item, clean, item_id, repeated_call_id

_Waiting = tuple[str, str | None]
_R = TypeVar("_R", bound=Run)


class ResponseStreamBuilder:
    """Feed it the updates of one turn; it answers with the events they cause, numbered without gaps.

    Args:
        response: The response object as it begins; see `objects.new_response`.
        encrypted_reasoning: Whether the caller asked for `reasoning.encrypted_content`.
    """

    def __init__(self, response: Mapping[str, Any], *, encrypted_reasoning: bool = False) -> None:
        self._response = response
        self._response_id: str = response["id"]
        self._encrypted_reasoning = encrypted_reasoning
        self._sequence = 0
        self._events: list[Event] = []
        self._runs: list[Run] = []
        self._message = MessageFold()
        self._calls: dict[str, CallRun] = {}
        self._call_counts: Counter[str] = Counter()
        self._asked: set[str | None] = set()
        self._waiting: dict[_Waiting, WholeRun] = {}
        self._usage: UsageDetails | None = None

    @property
    def output(self) -> list[Item]:
        """The items so far, in order; complete once `close` was called."""
        return [run.item for run in self._runs]

    @property
    def usage(self) -> UsageDetails | None:
        """The tokens that the updates told of, added up; None while they told of none."""
        return self._usage

    def start(self) -> list[Event]:
        """The two events that open every stream."""
        self._emit(
            {"type": name, "response": self._response}
            for name in ("response.created", "response.in_progress")
        )
        return self._taken()

    def feed(self, update: AgentResponseUpdate) -> list[Event]:
        """The events of one update."""
        if self._message.ends_before(update):
            self._end_message()
        self._message.take(update)
        contents: Sequence[Content] = update.contents
        if update.merge_mode == "replace":
            contents = self._replace_message(contents)
        for content in contents:
            self._content(content)
        return self._taken()

    def feed_message(self, message: Message) -> list[Event]:
        """The events of one message of a finished answer."""
        self._end_message()
        for content in message.contents:
            self._content(content)
        return self._taken()

    def close(self, *, completed: bool) -> list[Event]:
        """Ends the items that are still open; the terminal event is to follow."""
        self._end_message("completed" if completed else "incomplete")
        for run in self._waiting.values():
            self._emit(run.close("incomplete"))
        self._waiting.clear()
        return self._taken()

    def end(self, response: Mapping[str, Any]) -> list[Event]:
        """The one terminal event, for the final response object.

        The API has none for `cancelled`: that ends as `response.failed`, with its own status in the object.
        """
        name = response["status"] if response["status"] in ("completed", "incomplete") else "failed"
        self._emit(({"type": f"response.{name}", "response": response},))
        return self._taken()

    def _emit(self, events: Iterable[Event]) -> None:
        for event in events:
            event["sequence_number"] = self._sequence
            self._sequence += 1
            self._events.append(event)

    def _taken(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _content(self, content: Content) -> None:
        match content.type:
            case "text":
                self._text(content)
            case "text_reasoning":
                self._reasoning(content)
            case "function_call":
                self._call(content)
            case "usage":
                self._count(content)
            case _:
                self._end_run()
                self._whole(content)

    def _text(self, content: Content) -> None:
        text, refusal = clean(content.text or ""), items.is_refusal(content)
        run = self._message.current
        if isinstance(run, TextRun) and run.refusal == refusal:
            rest = rest_of(run.text, text) if content.merge_mode == "replace" else text
            if rest is None:
                run = self._open_text(refusal)
            else:
                text = rest
        elif text or content.annotations:
            run = self._open_text(refusal)
        else:
            self._end_run()
            return
        if text:
            self._emit((run.add(text),))
        if content.annotations:
            self._emit(run.annotate(wire_annotations(content.annotations)))

    def _reasoning(self, content: Content) -> None:
        text, raw = clean(content.text or ""), items.is_raw_reasoning(content)
        run = self._message.current
        if isinstance(run, ReasoningRun) and run.takes(content.id, raw=raw, has_text=bool(text)):
            rest = rest_of(run.text, text) if content.merge_mode == "replace" else text
            if rest is None:
                run = self._open_reasoning(raw)
            else:
                text = rest
        elif text or content.protected_data:
            run = self._open_reasoning(raw)
        else:
            self._end_run()
            return
        if self._encrypted_reasoning and content.protected_data is not None:
            run.encrypted = content.protected_data
        self._emit(run.add(text, source_id=content.id, raw=raw))

    def _call(self, content: Content) -> None:
        run = self._message.call_for(content) or self._calls.get(content.id or "")
        arguments = clean(content.arguments) if isinstance(content.arguments, str) else content.arguments
        if run is not None and (run.closed or content.merge_mode == "replace"):
            rest = rest_of(run.arguments, items.arguments_text(arguments) if arguments else "")
            if rest == "":
                return
            run, arguments = (run, rest) if rest and not run.closed else (None, arguments)
        if run is None:
            run = self._open_call(content)
        if content.id:
            run.occurrence = content.id
            self._calls[content.id] = run
        if arguments:
            self._emit(run.add(arguments))

    def _count(self, content: Content) -> None:
        if content.merge_mode == "replace":
            self._usage = content.usage_details
        else:
            self._usage = add_usage_details(self._usage, content.usage_details)

    def _whole(self, content: Content) -> None:
        """A content that is an item by itself, begins one, or ends the one that waits for it."""
        match content.type:
            case "function_result":
                self._close_call(content.call_id)
                new_id = self._new_id("fco")
                self._add_whole(
                    items.function_output(new_id, self._wire_call_id(content.call_id or new_id), content)
                )
            case "function_approval_request":
                if content.id not in self._asked:
                    self._asked.add(content.id)
                    self._add_whole(items.approval_request(content))
            case "function_approval_response":
                self._add_whole(items.approval_response(self._new_id("mcpa"), content))
            case "mcp_server_tool_call":
                self._begin(("mcp", content.call_id), items.mcp_call(self._new_id("mcp"), content))
            case "mcp_server_tool_result":
                self._finish(("mcp", content.call_id), content, output=items.text_of(content.output))
            case "image_generation_tool_call":
                self._begin(("image", content.image_id), items.image_call(self._new_id("ig")))
            case "image_generation_tool_result":
                self._finish(("image", content.image_id), content, result=items.image_data(content.outputs))
            case _:
                image = items.image_data(content)
                if image is None:
                    self._placeholder(content)
                else:
                    self._add_whole(items.image_call(self._new_id("ig"), result=image))

    def _placeholder(self, content: Content) -> None:
        run = self._open_text(refusal=False)
        self._emit((run.add(items.placeholder(content)),))
        self._end_run()

    def _begin(self, waiting: _Waiting, item: Item) -> None:
        """An item whose result comes later; announced twice, it is still one."""
        if waiting not in self._waiting:
            self._waiting[waiting] = self._add(WholeRun(len(self._runs), item))

    def _finish(self, waiting: _Waiting, content: Content, **result: str | None) -> None:
        run = self._waiting.pop(waiting, None)
        if run is None:
            self._placeholder(content)
            return
        run.item = {**run.item, **result}
        self._emit(run.close("incomplete" if None in result.values() else "completed"))

    def _add_whole(self, item: Item) -> None:
        self._emit(self._add(WholeRun(len(self._runs), item)).close("completed"))

    def _open_text(self, refusal: bool) -> TextRun:
        self._end_run()
        run = self._message.current = self._add(
            TextRun(self._new_id("msg"), len(self._runs), refusal=refusal)
        )
        return run

    def _open_reasoning(self, raw: bool) -> ReasoningRun:
        self._end_run()
        run = self._message.current = self._add(ReasoningRun(self._new_id("rs"), len(self._runs), raw=raw))
        return run

    def _open_call(self, content: Content) -> CallRun:
        self._end_run()
        new_id = self._new_id("fc")
        call_id, name = content.call_id or new_id, clean(content.name or "")
        self._call_counts[call_id] += 1
        run = CallRun(
            new_id, len(self._runs), call_id=call_id, wire_id=self._wire_call_id(call_id), name=name
        )
        self._message.calls.append(self._add(run))
        return run

    def _add(self, run: _R) -> _R:
        self._runs.append(run)
        self._message.runs.append(run)
        self._emit(run.open())
        return run

    def _wire_call_id(self, call_id: str) -> str:
        """The wire's name of the latest call with that id."""
        return repeated_call_id(call_id, max(1, self._call_counts[call_id]))

    def _new_id(self, prefix: str) -> str:
        return item_id(prefix, self._response_id, len(self._runs))

    def _end_run(self, status: ItemStatus = "completed") -> None:
        run, self._message.current = self._message.current, None
        if run is not None:
            self._emit(run.close(status))

    def _close_call(self, call_id: str | None) -> None:
        for run in self._message.open_calls(call_id):
            self._emit(run.close("completed"))

    def _end_message(self, status: ItemStatus = "completed") -> None:
        self._end_run(status)
        for run in self._message.open_calls():
            self._emit(run.close(status))
        self._message = MessageFold()

    def _replace_message(self, contents: Sequence[Content]) -> Sequence[Content]:
        """What is new in an update that replaces its message: all from the first difference to what was sent on."""
        sent = self._message.runs
        same = 0
        for run, content in zip(sent, contents, strict=False):
            if not item_matches(run, content):
                break
            same += 1
        new = list(contents[same:])
        if same < len(sent):
            grows = sent[-1] if same == len(sent) - 1 else None
            if (
                grows is self._message.current
                and isinstance(grows, TextRun)
                and new
                and item_grows(grows, new[0])
            ):
                self._emit((grows.add(clean(new[0].text or "")[len(grows.text) :]),))
                new = new[1:]
            self._end_run()
        return new
