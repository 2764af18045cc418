"""Who runs the tasks of which name (contract 11.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .payload import PayloadUndecodable, decode_payload
from .policy import TaskRejected
from .runner import TaskContext, TaskHandler
from .trace import go_on_in_trace

_LONGEST_NAME = 128


class UnknownHandler(TaskRejected):
    """No handler of that name is registered in the process that claimed the task; the task is dead."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"found a task named {name!r}, expected a name that was registered. Register its handler in every process "
            "that runs tasks, before the runner is resumed.",
            code="unknown_handler",
        )


class _Registered(NamedTuple):
    handler: TaskHandler
    decode: Callable[[Any], Any] | None


class Handlers:
    """The handlers of one runner, by name."""

    def __init__(self) -> None:
        self._handlers: dict[str, _Registered] = {}
        self._closed = False

    def __iter__(self) -> Iterator[str]:
        return iter(self._handlers)

    def register(self, name: str, handler: TaskHandler, decode: Callable[[Any], Any] | None) -> None:
        """Adds a handler.

        Raises:
            RuntimeError: The runner runs.
            ValueError: The name is not one, or is taken.
        """
        if self._closed:
            raise RuntimeError(f"found register({name!r}) on a runner that runs: register before resume()")
        check_name(name)
        if name in self._handlers:
            raise ValueError(f"found a second handler for {name!r}, expected one: give it another name")
        self._handlers[name] = _Registered(handler, decode)

    def close(self) -> None:
        """Takes no more handlers, as long as the runner runs."""
        self._closed = True

    def reopen(self) -> None:
        """Takes handlers again, after a drain."""
        self._closed = False

    async def perform(self, payload: str, trace: str | None, context: TaskContext) -> None:
        """Runs one attempt, in a task of its own.

        Raises:
            UnknownHandler: Nobody runs tasks of that name.
            PayloadUndecodable: The payload cannot be read.
        """
        registered = self._handlers.get(context.name)
        if registered is None:
            raise UnknownHandler(context.name)
        decoded = _decoded(payload, registered.decode)
        go_on_in_trace(trace)
        await registered.handler(decoded, context)


def check_name(name: str) -> str:
    """`name`, if tasks may have it; raises `ValueError` otherwise."""
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable()):
        raise ValueError(
            f"found the task name {name!r}, expected 1 to {_LONGEST_NAME} printable characters: shorten or rename it"
        )
    return name


def _decoded(text: str, decode: Callable[[Any], Any] | None) -> Any:
    payload = decode_payload(text)
    if decode is None:
        return payload
    try:
        return decode(payload)
    except Exception as error:
        raise PayloadUndecodable(
            f"the decoder of this task refused the stored payload ({type(error).__name__})"
        ) from error
