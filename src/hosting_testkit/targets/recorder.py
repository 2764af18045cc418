"""Writes down what a target was given (contract 3.5, 3.6)."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    AgentRunInputs,
    AgentSession,
    Message,
    ResponseStream,
    SupportsAgentRun,
    normalize_messages,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """One run as the target saw it.

    Args:
        messages: The input as core normalises it.
        session: The live session, or None.
        state: What `session.state` held when the run was asked for; a copy.
        stream: Whether a stream was asked for.
        options: The run options, empty if there were none.
        kwargs: Whatever else was given: `tools`, `function_invocation_kwargs`, `client_kwargs`.
    """

    messages: Sequence[Message]
    session: AgentSession | None
    state: Mapping[str, Any]
    stream: bool
    options: Mapping[str, Any]
    kwargs: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The text of the last user message, empty without one."""
        message = self._last_from_user()
        return message.text if message else ""

    @property
    def hosting(self) -> Mapping[str, Any]:
        """The turn as the host describes it on the last user message (contract 3.5); empty if it does not."""
        message = self._last_from_user()
        return message.additional_properties.get("hosting", {}) if message else {}

    def _last_from_user(self) -> Message | None:
        return next((m for m in reversed(self.messages) if m.role == "user"), None)


class Recorder:
    """Passes every run on to `target` and logs it first, in the order in which `run` was called.

    Unlike core's protocol it takes `options` and `tools`, as core's own `Agent` does, and passes on those that
    `target` takes. It shows nothing else of `target`: around core's `Agent`, its `context_providers` are hidden.

    Attributes:
        runs: The log.
    """

    id: str
    name: str | None
    description: str | None

    def __init__(self, target: SupportsAgentRun) -> None:
        self.id = target.id
        self.name = target.name
        self.description = target.description
        self.target = target
        self.runs: list[RecordedRun] = []
        parameters = inspect.signature(target.run).parameters.values()
        self._takes = {parameter.name for parameter in parameters}
        self._takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)

    @overload
    def run(
        self,
        messages: AgentRunInputs | None = None,
        *,
        stream: Literal[False] = False,
        session: AgentSession | None = None,
        options: Mapping[str, Any] | None = None,
        tools: Any = None,
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
        options: Mapping[str, Any] | None = None,
        tools: Any = None,
        function_invocation_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
    ) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]: ...

    def run(
        self,
        messages: AgentRunInputs | None = None,
        *,
        stream: bool = False,
        session: AgentSession | None = None,
        options: Mapping[str, Any] | None = None,
        tools: Any = None,
        function_invocation_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
    ) -> Awaitable[AgentResponse[Any]] | ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """Logs the run, then runs the target."""
        given = {
            "tools": tools,
            "function_invocation_kwargs": function_invocation_kwargs,
            "client_kwargs": client_kwargs,
        }
        kwargs = {name: value for name, value in given.items() if value is not None}
        self.runs.append(
            RecordedRun(
                messages=tuple(normalize_messages(messages)),
                session=session,
                state=copy.deepcopy(session.state) if session else {},
                stream=stream,
                options=dict(options or {}),
                kwargs=kwargs,
            )
        )
        asked = {**kwargs, "options": options} if options is not None else kwargs
        taken = {name: value for name, value in asked.items() if self._takes_all or name in self._takes}
        return self.target.run(messages, stream=stream, session=session, **taken)

    def create_session(self, *, session_id: str | None = None) -> AgentSession:
        return self.target.create_session(session_id=session_id)

    def get_session(
        self, service_session_id: str | Mapping[str, Any], *, session_id: str | None = None
    ) -> AgentSession:
        return self.target.get_session(service_session_id, session_id=session_id)
