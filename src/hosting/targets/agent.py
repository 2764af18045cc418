"""Serves anything with `SupportsAgentRun` (contract 0, 3.5, 7.0)."""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

from agent_framework import (
    AgentResponse,
    AgentResponseUpdate,
    Content,
    Message,
    ResponseStream,
    SupportsAgentRun,
    normalize_messages,
)

from ..channel import TargetInfo
from ..errors import UnprocessableInput
from ..ids import IdSource
from ..results import TurnStatus
from .base import TargetCall, TargetResult
from .bindings import binders_of, binding_of

_log = logging.getLogger("hosting.target")

_NEVER_AN_OPTION = frozenset({"conversation_id", "previous_response_id"})


class AgentTarget:
    """An agent behind the `Target` face.

    Args:
        agent: Any object with core's `SupportsAgentRun` shape.
        ids: Makes the message ids without which core drops repeated equal messages (contract 3.5).
    """

    def __init__(self, agent: SupportsAgentRun, *, ids: IdSource) -> None:
        self._agent = agent
        self._ids = ids
        self._takes = _run_parameters(agent)
        self.info = TargetInfo(
            kind="agent",
            name=agent.name or agent.id or type(agent).__name__,
            description=agent.description or "",
            input_types=(str, Message),
        )

    @property
    def finds_turn_by_session(self) -> bool:
        """Whether a context provider binds to requests."""
        return bool(binders_of(self._agent))

    def check_input(self, value: Any) -> None:
        """Refuses what is not `AgentRunInputs`.

        Raises:
            UnprocessableInput: Names the type found and those expected.
        """
        items = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else [value]
        for item in items:
            if item is not None and not isinstance(item, str | Content | Message):
                raise UnprocessableInput(
                    f"The agent takes text, messages or contents; found {type(item).__name__}.", param="input"
                )

    def binding(self, call: TargetCall) -> AbstractAsyncContextManager[None] | None:
        """The agent's context providers that bind to a request."""
        return binding_of(self._agent, call)

    async def run(self, call: TargetCall) -> TargetResult:
        response = await self._agent.run(self._messages(call), session=call.session, **self._extras(call))
        return agent_result(response)

    def stream(self, call: TargetCall) -> AgentStream:
        stream = self._agent.run(
            self._messages(call), stream=True, session=call.session, **self._extras(call)
        )
        return AgentStream(stream)

    def _messages(self, call: TargetCall) -> list[Message]:
        # Copies: a hook may give the same message to many turns, and each of them labels it.
        messages = [copy.copy(message) for message in normalize_messages(call.input)]
        for message in messages:
            message.contents = list(message.contents)
            if not message.message_id:
                message.message_id = self._ids.new("msg")
        last = next((message for message in reversed(messages) if message.role == "user"), None)
        if last is not None:
            last.additional_properties = {**last.additional_properties, "hosting": dict(call.hosting)}
        return messages

    def _extras(self, call: TargetCall) -> dict[str, Any]:
        offered: dict[str, Any] = {}
        options = {name: value for name, value in call.options.items() if name not in _NEVER_AN_OPTION}
        if options:
            offered["options"] = options
        if call.client_tools:
            offered["tools"] = list(call.client_tools)
        dropped = offered.keys() - self._takes
        if dropped:
            _log.debug("the target's run() takes no %s; dropped for turn %s", sorted(dropped), call.turn_id)
        return {name: value for name, value in offered.items() if name in self._takes}


class AgentStream:
    """One streamed run of an agent; core's `ResponseStream`, or a plain async iterator of updates."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._folds = not isinstance(stream, ResponseStream)
        self._updates: list[AgentResponseUpdate] = []
        self._folding: AsyncGenerator[AgentResponseUpdate] | None = None

    def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]:
        if self._folds:
            self._folding = self._remembered()
            return self._folding
        return cast("AsyncIterator[AgentResponseUpdate]", self._stream.__aiter__())

    async def final(self) -> TargetResult:
        if self._folds:
            return agent_result(AgentResponse.from_updates(self._updates))
        return agent_result(await self._stream.get_final_response())

    async def abandon(self, reason: BaseException) -> None:
        if not self._folds:
            await self._stream.close(reason)
            return
        for generator in (self._folding, self._stream):
            close = getattr(generator, "aclose", None)
            if close is not None:
                await close()

    async def _remembered(self) -> AsyncGenerator[AgentResponseUpdate]:
        async for update in self._stream:
            self._updates.append(update)
            yield update


def agent_result(response: AgentResponse[Any]) -> TargetResult:
    """The turn's status and open requests, read off an agent's response (contract 3.4)."""
    requests = response.user_input_requests
    return TargetResult(response, _status(response, requests), tuple(requests))


def _status(response: AgentResponse[Any], requests: Sequence[Content]) -> TurnStatus:
    if requests:
        return "input_required"
    return "incomplete" if response.finish_reason in ("length", "content_filter") else "completed"


def _run_parameters(agent: SupportsAgentRun) -> frozenset[str]:
    try:
        parameters: Mapping[str, inspect.Parameter] = inspect.signature(agent.run).parameters
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(parameters) & {"options", "tools"}
