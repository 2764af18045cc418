"""What a job of the engine carries for us, and how its states are called here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..payload import PayloadUndecodable
from ..policy import RetryPolicy
from ..runner import TaskStatus

STATUSES: Mapping[str, TaskStatus] = {
    "todo": "scheduled",
    "doing": "running",
    "aborting": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "aborted": "cancelled",
}
"""The engine's states as ours. `cancelled` never ran, `aborted` did."""


class Sealed:
    """A payload on its way through the engine, which writes the arguments of jobs into its log (contract 18.2).

    Args:
        text: The payload's JSON text.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<{len(self.text)} characters>"


@dataclass(frozen=True, slots=True)
class JobArguments:
    """The arguments of a job.

    Args:
        task_id: Our id of the task.
        payload: JSON text; a text inside JSON, so that the server's own JSON type changes nothing of it.
        policy: When it is tried again.
        trace: JSON text of its trace context, or None.
        key: What it keeps its order with, or None.
    """

    task_id: str
    payload: str
    policy: RetryPolicy
    trace: str | None
    key: str | None

    def to_json(self) -> str:
        """As the job keeps it; `max_attempts` stands alone, since the rescue reads it with SQL."""
        return json.dumps(
            {
                "task_id": self.task_id,
                "payload": self.payload,
                "policy": self.policy.to_dict(),
                "max_attempts": self.policy.max_attempts,
                "trace": self.trace,
                "key": self.key,
            }
        )

    @classmethod
    def of(cls, kwargs: Mapping[str, Any]) -> JobArguments:
        """Those of a job that was fetched.

        Raises:
            PayloadUndecodable: The job was not made by this runner.
        """
        try:
            payload = kwargs["payload"]
            return cls(
                task_id=kwargs["task_id"],
                payload=payload.text if isinstance(payload, Sealed) else payload,
                policy=RetryPolicy.from_dict(kwargs["policy"]),
                trace=kwargs["trace"],
                key=kwargs["key"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PayloadUndecodable(
                f"found a job without the arguments of a durable task ({type(error).__name__}): give other jobs a queue "
                "of their own"
            ) from None


def sealing_loads(text: str | bytes) -> object:
    """Decodes JSON of the engine's tables; a payload among it is sealed."""
    value: object = json.loads(text)
    if isinstance(value, dict):
        given = cast("dict[str, object]", value)
        payload = given.get("payload")
        return given | {"payload": Sealed(payload)} if isinstance(payload, str) else given
    return value
