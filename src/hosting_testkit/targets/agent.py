"""What all fake agents share: an identity, plain sessions, and one generator behind both run modes.

They are real `SupportsAgentRun` objects that answer with core's own `AgentResponse` and `ResponseStream`, because
core has no test doubles and its streams have behaviour of their own (contract 7.0, 7.2). Like core's protocol, their
`run` takes no `options`; `Recorder` is the one that does.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    AgentRunInputs,
    AgentSession,
    Content,
    FinishReason,
    Message,
    ResponseStream,
    normalize_messages,
)

Updates = AsyncGenerator[AgentResponseUpdate, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a fake agent: what it was given, and the ids that its updates carry.

    Args:
        agent: Name of the agent; the ids begin with it.
        number: 1 for the agent's first run.
        messages: The input as core normalises it.
        session: The session of the run, or None without one.
    """

    agent: str
    number: int
    messages: Sequence[Message]
    session: AgentSession | None = None

    @property
    def text(self) -> str:
        """The text of the last user message, empty without one."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    def update(
        self,
        *contents: str | Content,
        role: str = "assistant",
        message: int = 1,
        finish_reason: str | None = None,
        raw: object = None,
    ) -> AgentResponseUpdate:
        """One streamed update of this run.

        Args:
            contents: A text stands for a text content.
            role: As core, only the assistant's updates carry a message id.
            message: Which of the run's messages this belongs to.
            finish_reason: Why the model stopped, on the last update.
            raw: The update's `raw_representation`.
        """
        return AgentResponseUpdate(
            contents=[Content.from_text(c) if isinstance(c, str) else c for c in contents],
            role=role,
            author_name=self.agent,
            response_id=f"{self.agent}-response-{self.number}",
            message_id=f"{self.agent}-message-{self.number}-{message}" if role == "assistant" else None,
            finish_reason=FinishReason(finish_reason) if finish_reason else None,
            raw_representation=raw,
        )


class FakeAgent(ABC):
    """A `SupportsAgentRun` made of one method, `answer`; a one-shot run folds what `answer` streams.

    Args:
        name: Also the id; the class name in lower case if left out.
        description: What the agent tells of itself.
    """

    id: str
    name: str | None
    description: str | None

    def __init__(self, *, name: str | None = None, description: str | None = None) -> None:
        self.id = name or type(self).__name__.lower()
        self.name = self.id
        self.description = description
        self._numbers = itertools.count(1)

    @abstractmethod
    def answer(self, run: Run) -> Updates:
        """Streams the answer; an async generator."""

    def fold(self, updates: Sequence[AgentResponseUpdate]) -> AgentResponse[Any]:
        """The final response made of `updates`, in both run modes."""
        return AgentResponse[Any].from_updates(updates)

    def open(self, run: Run) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """The stream of one run; nothing happens before its first pull."""
        return ResponseStream(self.answer(run), finalizer=self.fold)

    @overload
    def run(
        self,
        messages: AgentRunInputs | None = None,
        *,
        stream: Literal[False] = False,
        session: AgentSession | None = None,
        function_invocation_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
    ) -> Awaitable[AgentResponse[Any]]: ...

    @overload
    def run(
        self,
        messages: AgentRunInputs | None = None,
        *,
        stream: Literal[True],
        session: AgentSession | None = None,
        function_invocation_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
    ) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]: ...

    def run(
        self,
        messages: AgentRunInputs | None = None,
        *,
        stream: bool = False,
        session: AgentSession | None = None,
        function_invocation_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
    ) -> Awaitable[AgentResponse[Any]] | ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """Runs as core's protocol says; there are no tools and no client for the last two arguments to reach."""
        run = Run(
            agent=self.id, number=next(self._numbers), messages=normalize_messages(messages), session=session
        )
        return self.open(run) if stream else self._collect(run)

    async def _collect(self, run: Run) -> AgentResponse[Any]:
        return self.fold([update async for update in self.answer(run)])

    def create_session(self, *, session_id: str | None = None) -> AgentSession:
        return AgentSession(session_id=session_id)

    def get_session(
        self, service_session_id: str | Mapping[str, Any], *, session_id: str | None = None
    ) -> AgentSession:
        return AgentSession(service_session_id=service_session_id, session_id=session_id)
