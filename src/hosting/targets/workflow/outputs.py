"""A workflow's output events as the updates of one answer (contract 7.2, 8.3).

Core folds updates by their place: text that follows text of the same message joins it. So two rules hold here. Updates
of one agent are never parted by another's: of agents that run at once, one is heard and the others wait. And each
output starts a message of its own, which its message id says. Then the stream folds to what the one-shot run gives.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message, WorkflowEvent

from ...ids import IdSource
from ...serialization import to_text
from .inputs import messages_of
from .result import WorkflowResult


class OutputFold:
    """Takes the events of one run in order, gives updates, and in the end the whole result."""

    def __init__(self, ids: IdSource) -> None:
        self._outputs: list[Any] = []
        self._updates: list[AgentResponseUpdate] = []
        self._messages = _MessageIds(ids)
        self._speaker: str | None = None
        self._said: list[AgentResponseUpdate] = []
        self._waiting: list[WorkflowEvent[Any]] = []
        self._asked: set[str | None] = set()

    def take(self, event: WorkflowEvent[Any]) -> Iterator[AgentResponseUpdate]:
        """The updates that can be sent now."""
        if event.type not in ("output", "executor_completed"):
            return
        if self._speaker not in (None, event.executor_id):
            self._waiting.append(event)
        elif event.type == "executor_completed":
            yield from self._finish()
        elif isinstance(event.data, AgentResponseUpdate):
            yield from self._piece(event.executor_id, event.data)
        else:
            self._outputs.append(event.data)
            for update in _as_updates(event.data):
                yield self._sent(self._messages.of_new(update))

    def close(self, requests: Sequence[Content]) -> Iterator[AgentResponseUpdate]:
        """What is left to send at the run's end; its new requests are the answer's last message."""
        while self._speaker is not None:
            yield from self._finish()
        self._asked = {content.call_id for content in requests if content.type == "function_call"}
        contents = list(self._unsaid(requests))
        if contents:
            yield self._sent(self._messages.of_new(AgentResponseUpdate(role="assistant", contents=contents)))

    def result(self) -> WorkflowResult:
        """All that was taken; after `close`."""
        response = AgentResponse.from_updates(self._updates)
        for content in _contents(response.messages):
            if content.type == "function_call" and content.call_id in self._asked:
                content.user_input_request = True
        return WorkflowResult(tuple(self._outputs), response)

    def _piece(self, speaker: str | None, update: AgentResponseUpdate) -> Iterator[AgentResponseUpdate]:
        starts = self._speaker is None
        self._speaker = speaker
        self._said.append(update)
        spoken = _without_usage(update)
        yield self._sent(self._messages.of_new(spoken) if starts else self._messages.of_next(spoken))

    def _finish(self) -> Iterator[AgentResponseUpdate]:
        """The speaker is done: its updates are one output, and those who waited go on."""
        if self._speaker is None:
            return
        response = AgentResponse.from_updates(self._said)
        self._outputs.append(response)
        self._speaker, self._said = None, []
        if response.usage_details:
            usage = AgentResponseUpdate(contents=[Content.from_usage(response.usage_details)])
            yield self._sent(self._messages.of_next(usage))
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            yield from self.take(event)

    def _unsaid(self, requests: Sequence[Content]) -> Iterator[Content]:
        """Requests, each approval behind its call, without the calls that an agent's stream already showed."""
        shown = {content.call_id for content in _contents(self._updates) if content.type == "function_call"}
        for request in requests:
            call = request.function_call if request.type == "function_approval_request" else request
            if call is not None and (call.call_id is None or call.call_id not in shown):
                yield call
            if request is not call:
                yield request

    def _sent(self, update: AgentResponseUpdate) -> AgentResponseUpdate:
        self._updates.append(update)
        return update


class _MessageIds:
    """Says on each update which message it belongs to, as core's fold would have decided without the ids."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids
        self._given: str | None = None
        self._named: str | None = None
        self._author: str | None = None
        self._role: str = "assistant"

    def of_new(self, update: AgentResponseUpdate) -> AgentResponseUpdate:
        """`update` as the start of a message; an agent's own id stays unless the message before has it too."""
        own = update.message_id
        self._given = own if own and own != self._given else self._ids.new("msg")
        self._named, self._author, self._role = None, None, "assistant"
        return self._stamped(update)

    def of_next(self, update: AgentResponseUpdate) -> AgentResponseUpdate:
        """`update` as what follows in the same output."""
        parts = (
            (update.message_id and self._named and update.message_id != self._named)
            or (update.author_name and self._author and update.author_name != self._author)
            or (update.role and update.role != self._role)
        )
        return self.of_new(update) if parts else self._stamped(update)

    def _stamped(self, update: AgentResponseUpdate) -> AgentResponseUpdate:
        self._named = update.message_id or self._named
        self._author = update.author_name if update.author_name is not None else self._author
        self._role = update.role if update.role is not None else self._role
        stamped = copy.copy(update)
        stamped.message_id = self._given
        return stamped


def _as_updates(data: Any) -> list[AgentResponseUpdate]:
    """A whole output as updates, one for each message."""
    if data is None or (isinstance(data, str) and not data):
        return []
    if isinstance(data, AgentResponse):
        return _response_updates(cast("AgentResponse[Any]", data))
    messages = messages_of(data)
    if messages is not None and not isinstance(data, str | Content):
        spoken = [message for message in messages if message.role not in ("user", "system")]
        return _response_updates(AgentResponse(messages=spoken))
    if isinstance(data, Content):
        return [AgentResponseUpdate(role="assistant", contents=[data])]
    text = data if isinstance(data, str) else to_text(data)
    return [AgentResponseUpdate(role="assistant", contents=[Content.from_text(text)])]


def _response_updates(response: AgentResponse[Any]) -> list[AgentResponseUpdate]:
    return [update for update in response.to_updates() if response.messages or update.contents]


def _without_usage(update: AgentResponseUpdate) -> AgentResponseUpdate:
    """An agent may count its usage up with replacing updates, which would wipe out that of the agent before."""
    if all(content.type != "usage" for content in update.contents):
        return update
    spoken = copy.copy(update)
    spoken.contents = [content for content in update.contents if content.type != "usage"]
    return spoken


def _contents(holders: Iterable[Message | AgentResponseUpdate]) -> Iterator[Content]:
    return (content for holder in holders for content in holder.contents)
