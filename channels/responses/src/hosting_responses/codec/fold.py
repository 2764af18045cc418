"""How updates form messages, as core's `AgentResponse.from_updates` folds them (core-facts 3.6)."""

from __future__ import annotations

from collections.abc import Mapping

from agent_framework import AgentResponseUpdate, Content

from .items import arguments_text
from .runs import CallRun, ReasoningRun, Run, TextRun
from .wire import clean


class MessageFold:
    """The message that updates go into at the moment.

    `current` is the run that adjacent text joins; `calls` stay open until their result or the end of the message.
    """

    def __init__(self) -> None:
        self.current: TextRun | ReasoningRun | None = None
        self.runs: list[Run] = []
        self.calls: list[CallRun] = []
        self._begun = False
        self._message_id: str | None = None
        self._author: str | None = None
        self._role: str = "assistant"

    def ends_before(self, update: AgentResponseUpdate) -> bool:
        """Whether `update` begins another message."""
        if not self._begun:
            return False
        return bool(
            (update.message_id and self._message_id and update.message_id != self._message_id)
            or (update.author_name and self._author and update.author_name != self._author)
            or (update.role and update.role != self._role)
        )

    def take(self, update: AgentResponseUpdate) -> None:
        """Takes over what identifies the message."""
        self._begun = True
        self._message_id = update.message_id or self._message_id
        self._author = self._author if update.author_name is None else update.author_name
        self._role = update.role or self._role

    def call_for(self, content: Content) -> CallRun | None:
        """The call that a piece belongs to, or None if it begins one."""
        if not content.call_id:
            last = self.runs[-1] if self.runs else None
            return last if isinstance(last, CallRun) else None
        for run in reversed(self.calls):
            if run.call_id != content.call_id or (run.occurrence is not None and content.id is None):
                continue
            return run if run.occurrence is None or run.occurrence == content.id else None
        return None

    def open_calls(self, call_id: str | None = None) -> list[CallRun]:
        """The calls that may still grow; only those with `call_id`, where one is given."""
        return [run for run in self.calls if not run.closed and call_id in (None, run.call_id)]


def rest_of(sent: str, whole: str) -> str | None:
    """What is left to send of `whole`; None if what was sent is no part of it."""
    return whole[len(sent) :] if whole.startswith(sent) else None


def item_matches(run: Run, content: Content) -> bool:
    """Whether a content of a replaced message is what was streamed as `run`."""
    match run, content.type:
        case TextRun(), "text":
            return run.text == clean(content.text or "")
        case ReasoningRun(), "text_reasoning":
            return run.text == clean(content.text or "")
        case CallRun(), "function_call":
            return run.call_id == content.call_id and run.arguments == _arguments(content.arguments)
        case _:
            return run.item.get("call_id") == content.call_id is not None


def item_grows(run: TextRun, content: Content) -> bool:
    """Whether a content of a replaced message continues the text of `run`."""
    return content.type == "text" and rest_of(run.text, clean(content.text or "")) is not None


def _arguments(arguments: str | Mapping[str, object] | None) -> str:
    return arguments_text(arguments) if arguments else ""
