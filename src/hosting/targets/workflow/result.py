"""What a workflow's turn gives back (contract 3.4, 8.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Message

from ...serialization import register_type


@dataclass(frozen=True, slots=True)
class WorkflowResult:
    """All outputs of one turn, in order, and how a channel renders them.

    Args:
        outputs: As the executors yielded them; the updates of one streaming agent are one `AgentResponse`.
        response: The outputs as messages: responses as they are, text as text, other values as JSON text. New requests
            stand last.
    """

    outputs: Sequence[Any]
    response: AgentResponse[Any]

    @property
    def text(self) -> str:
        return self.response.text

    @property
    def messages(self) -> list[Message]:
        return self.response.messages

    def to_updates(self) -> list[AgentResponseUpdate]:
        """The response as the updates that it would have been streamed in."""
        return self.response.to_updates()


register_type(
    WorkflowResult,
    tag="hosting.WorkflowResult",
    to_json=lambda result: {"outputs": list(result.outputs), "response": result.response},
    from_json=lambda fields: WorkflowResult(**fields),
)
