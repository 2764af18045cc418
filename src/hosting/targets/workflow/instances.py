"""A fresh instance of the workflow for each turn (contract 8.1).

Core keeps executor fields, conversations and open requests on the instance, so none is used twice.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from agent_framework import AgentExecutor, Executor, FunctionExecutor, Workflow, WorkflowExecutor

from ...errors import ChannelConfigurationError
from ...ids import IdSource

WorkflowSource = Workflow | Callable[[], Workflow]

_log = logging.getLogger("hosting.target")

_RANDOM_NAME = re.compile(r"WorkflowBuilder-[0-9a-f-]{36}")


class Instances:
    """Builds instances, from a factory or as clones of one that never ran.

    Args:
        source: A factory, or an instance that can be cloned.
        ids: Makes the session ids of cloned agent executors.

    Raises:
        ChannelConfigurationError: The source cannot give independent instances, or has no stable name.
    """

    def __init__(self, source: WorkflowSource, ids: IdSource) -> None:
        self._ids = ids
        self._factory = None if isinstance(source, Workflow) else source
        self.original = source if isinstance(source, Workflow) else _built(source)
        if self._factory is None:
            self._clone()
        else:
            _check_independent(self.original, _built(self._factory))
        _check_name(self.original.name)
        _warn_of_own_storage(self.original)

    async def fresh(self) -> Workflow:
        """An instance that shares no state with any other."""
        if self._factory is not None:
            return _built(self._factory)
        clone = self._clone()
        await self._renew_sessions(clone)
        return clone

    def _clone(self) -> Workflow:
        if _has_run(self.original):
            raise _refused("this workflow ran before; pass a function that builds and returns a new one")
        try:
            return self.original.clone()
        except Exception as exc:  # whatever a field of the app's raises when copied
            raise _refused(
                f"this workflow holds something that cannot be copied ({type(exc).__name__}); pass a function that "
                "builds and returns a new one"
            ) from exc

    async def _renew_sessions(self, workflow: Workflow) -> None:
        """Clones carry the original's session ids, under which external history would be shared."""
        for executor in executors_of(workflow):
            if isinstance(executor, AgentExecutor):
                state = await executor.on_checkpoint_save()
                state["agent_session"] = {**state["agent_session"], "session_id": self._ids.new("session")}
                await executor.on_checkpoint_restore(state)


def _has_run(workflow: Workflow) -> bool:
    """Core says it nowhere in public; copying such an instance would copy the event loop in its queue."""
    return getattr(_runner_context(workflow), "_event_queue", None) is not None


def _warn_of_own_storage(workflow: Workflow) -> None:
    has_checkpointing = getattr(_runner_context(workflow), "has_checkpointing", None)
    if has_checkpointing is not None and has_checkpointing():
        _log.warning(
            "workflow %r was built with a checkpoint storage; for sessions the host's own is used instead "
            "(checkpoint_location= on the host says where)",
            workflow.name,
        )


def _runner_context(workflow: Workflow) -> Any:
    return vars(workflow).get("_runner_context")


def _built(factory: Callable[[], Workflow]) -> Workflow:
    if not callable(cast("Any", factory)):
        raise _refused(f"expected a Workflow or a function that returns one; found {type(factory).__name__}")
    workflow = cast("Any", factory())
    if not isinstance(workflow, Workflow):
        if hasattr(workflow, "close"):
            workflow.close()  # a coroutine, which would warn that it was never awaited
        raise _refused(f"the workflow factory must return a Workflow; it returned {type(workflow).__name__}")
    return workflow


def _check_independent(one: Workflow, other: Workflow) -> None:
    if one.name != other.name:
        raise _nameless(one.name)
    shared = {id(executor) for executor in executors_of(one)} & {
        id(executor) for executor in executors_of(other)
    }
    for executor in executors_of(one):
        if id(executor) in shared and not isinstance(executor, FunctionExecutor):
            raise _refused(
                f"the workflow factory returned executor {executor.id!r} twice, so sessions would share its state; "
                "make a new one in each call of the factory"
            )


def _check_name(name: str) -> None:
    if not name or _RANDOM_NAME.fullmatch(name):
        raise _nameless(name)


def _nameless(name: str) -> ChannelConfigurationError:
    return _refused(
        f"the workflow's name {name!r} is not stable, so its checkpoints would be lost at the next start; "
        'give it one: WorkflowBuilder(name="...", start_executor=...)'
    )


def executors_of(workflow: Workflow) -> Iterator[Executor]:
    """The executors of a workflow and of those inside it."""
    for executor in workflow.get_executors_list():
        yield executor
        if isinstance(executor, WorkflowExecutor):
            yield from executors_of(executor.workflow)


def _refused(message: str) -> ChannelConfigurationError:
    return ChannelConfigurationError(message, field="target")
