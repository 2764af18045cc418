"""A host whose channel writes down what it processes and pushes, into the file that NOTES names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hosting import AgentFrameworkHost, ChannelContribution, TaskContext
from hosting.channel import PushReceipt
from hosting_testkit.targets import Echo
from tests.real_server.hosts import state


class NotesChannel:
    name, path = "notes", "/notes"

    def contribute(self, context: Any) -> ChannelContribution:
        return ChannelContribution()

    async def process(self, event: Any) -> None:
        note(f"processed {event.delivery_id}")

    async def push(self, destination: Any, payload: Any, *, context: Any) -> PushReceipt:
        note(f"pushed {context.delivery_id}")
        return PushReceipt(status="sent")


def note(line: str) -> None:
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"{line}\n")


def host() -> AgentFrameworkHost:
    made = AgentFrameworkHost(Echo(), channels=[NotesChannel()], **state())
    made.durable_task_runner.register("remind", remind)
    return made


async def remind(payload: Any, context: TaskContext) -> None:
    note(f"ran {context.task_id}")
