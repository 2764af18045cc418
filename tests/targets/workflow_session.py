"""One session of a workflow target, as the pipeline drives it: the checkpoint goes through its text between turns."""

from __future__ import annotations

from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message

from hosting.targets.base import TargetCall, TargetResult
from hosting.targets.checkpoints import StagedCheckpointStorage, decode_checkpoint, encode_checkpoint
from hosting.targets.workflow import WorkflowTarget
from hosting_testkit.ids import SequentialIds


def target(source: Any) -> WorkflowTarget:
    return WorkflowTarget(source, ids=SequentialIds())


def call(value: Any, **fields: Any) -> TargetCall:
    return TargetCall(input=value, turn_id="turn_1", **fields)


class Session:
    """A session that keeps what its last whole turn left.

    Args:
        target: May be replaced by another one, as a restart does.
        text: The checkpoint of another session, to start as a fork of it.
    """

    def __init__(self, target: WorkflowTarget, text: str | None = None) -> None:
        self.target = target
        self.text = text

    async def turn(self, value: Any, *, stream: bool = False, **fields: Any) -> TargetResult:
        if stream:
            return (await self.streamed(value, **fields))[1]
        storage = self.storage()
        result = await self.target.run(call(value, checkpoints=storage, **fields))
        self._keep(storage)
        return result

    async def streamed(self, value: Any, **fields: Any) -> tuple[list[AgentResponseUpdate], TargetResult]:
        storage = self.storage()
        stream = self.target.stream(call(value, checkpoints=storage, **fields))
        updates = [update async for update in stream]
        result = await stream.final()
        self._keep(storage)
        return updates, result

    def storage(self) -> StagedCheckpointStorage:
        return StagedCheckpointStorage(decode_checkpoint(self.text) if self.text else None)

    def _keep(self, storage: StagedCheckpointStorage) -> None:
        assert storage.changed
        assert storage.last
        self.text = encode_checkpoint(storage.last)


def answer(request: Content, text: str) -> Message:
    """The caller's answer to a request, as text."""
    return Message("tool", [Content.from_function_result(request.call_id or "", result=text)])


def approval(request: Content, approved: bool = True) -> Message:
    return Message("user", [request.to_function_approval_response(approved)])


def items(response: AgentResponse[Any]) -> list[list[tuple[str, Any]]]:
    """What each message holds, without the ids."""
    return [
        [(content.type, content.text or content.name or content.result) for content in message.contents]
        for message in response.messages
    ]
