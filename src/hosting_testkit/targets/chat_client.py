"""A model client that plays a script, so that core's own `Agent` with tools can run offline.

It is built as real clients are, with core's layers for tools, middleware and telemetry, and streams as the OpenAI
client does: each text, reasoning and tool call ends with the whole of it once more, as `merge_mode="replace"`
(contract 7.2).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

from agent_framework import (
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatOptions,
    ChatResponse,
    ChatResponseUpdate,
    FinishReason,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
)
from agent_framework.observability import ChatTelemetryLayer

from .gate import Gates
from .model_stream import closed, finished
from .scripted import play
from .steps import NextMessage, Piece, Turn

ChatScript = Callable[[Sequence[Message], Mapping[str, Any]], Turn | str]
"""What the model says to these messages under these options."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What the model was asked."""

    messages: Sequence[Message]
    options: Mapping[str, Any]
    stream: bool


class ScriptedChatClient(
    FunctionInvocationLayer[ChatOptions[None]],
    ChatMiddlewareLayer[ChatOptions[None]],
    ChatTelemetryLayer[ChatOptions[None]],
    BaseChatClient[ChatOptions[None]],
):
    """A real chat client with a scripted model: `Agent(client=ScriptedChatClient(...), tools=[...])`.

    The turns are the model calls of one run of the agent, told apart by what was said since the last user message;
    the last one repeats. So `ScriptedChatClient([steps.ToolCall("weather")], "It rains.")` calls the tool and then
    answers, in every run, in any session, for many at once.

    Args:
        turns: One turn for each model call of a run; a string is a turn of one delta.
        script: Says what to play in place of `turns`.
        closing_replace: End each text, reasoning and tool call with the whole of it.
        message_id: Id on every message of every model call (ids repeat between calls, `core-facts` 3.8); None, as
            with the OpenAI client, for none.
        keep: How many of the last calls `calls` holds.
        layers: For core's layers: `middleware`, `function_invocation_configuration`, ...

    Attributes:
        calls: What the model was asked, oldest first.
        gates: The points at which `steps.Stop` waits.
        running: Model calls that have begun and not ended.
    """

    OTEL_PROVIDER_NAME: ClassVar[str] = "scripted"

    def __init__(
        self,
        *turns: Turn | str,
        script: ChatScript | None = None,
        closing_replace: bool = True,
        message_id: str | None = None,
        keep: int = 100,
        **layers: Any,
    ) -> None:
        if bool(turns) == (script is not None):
            raise ValueError("ScriptedChatClient: expected either turns or script=")
        super().__init__(**layers)
        self.model = "scripted"
        self.calls: deque[ModelCall] = deque(maxlen=keep)
        self.gates = Gates()
        self.running = 0
        self._script = script or _by_position(turns)
        self._closing_replace = closing_replace
        self._message_id = message_id
        self._numbers = itertools.count(1)

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        self.calls.append(ModelCall(tuple(messages), dict(options), stream))
        answer: ResponseStream[ChatResponseUpdate, ChatResponse[Any]] = self._build_response_stream(
            self._updates(messages, options), response_format=options.get("response_format")
        )
        return answer if stream else answer.get_final_response()

    async def _updates(
        self, messages: Sequence[Message], options: Mapping[str, Any]
    ) -> AsyncGenerator[ChatResponseUpdate, None]:
        turn = self._script(messages, await self._validate_options(options))
        pieces = play([turn] if isinstance(turn, str) else turn, self.gates)
        pieces = finished(closed(pieces) if self._closing_replace else pieces)
        response_id = f"resp_{next(self._numbers)}"
        message = 1
        self.running += 1
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, NextMessage):
                        message += 1
                    else:
                        yield self._update(piece, response_id, message)
        finally:
            self.running -= 1

    def _update(self, piece: Piece, response_id: str, message: int) -> ChatResponseUpdate:
        if message > 1 and self._message_id is None:
            raise ValueError(
                "found steps.NextMessage without ids, expected ScriptedChatClient(message_id=...)"
            )
        return ChatResponseUpdate(
            contents=piece.contents,
            role=piece.role,
            response_id=response_id,
            message_id=self._message_id if message == 1 else f"{self._message_id}-{message}",
            model=self.model,
            finish_reason=FinishReason(piece.finish_reason) if piece.finish_reason else None,
        )


def _by_position(turns: Sequence[Turn | str]) -> ChatScript:
    def script(messages: Sequence[Message], options: Mapping[str, Any]) -> Turn | str:
        return turns[min(_calls_so_far(messages), len(turns) - 1)]

    return script


def _calls_so_far(messages: Sequence[Message]) -> int:
    """How often the model has spoken since the last user message; several messages in a row are one call."""
    since = itertools.takewhile(lambda message: message.role != "user", reversed(messages))
    return sum(role == "assistant" for role, _ in groupby(message.role for message in since))
