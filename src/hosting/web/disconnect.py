"""Noticing that a client has left, and stopping the work done for it (contract 7.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from starlette.types import Receive


class ClientGone(ClientDisconnect):
    """The client left before it was answered: nothing to render and nothing to log.

    Let it escape the endpoint: `ChannelRoutes` and `RootRoutes` end such a request in silence.
    """


def cancel_on_disconnect(receive: Receive, *, grace: float = 0.05) -> AbstractAsyncContextManager[None]:
    """Cancels the block it guards when the client leaves: for turns that are answered in one piece.

    Use it after the whole body was read, since it discards what it receives. A block that ends within
    `grace` costs one timer and no task.

    Args:
        receive: The request's ASGI `receive`; nothing else may call it inside the block.
        grace: Seconds before the watch begins.

    Raises:
        ClientGone: Out of the block, in place of the cancellation that ended it. A cancellation from elsewhere
            passes through as it is.
    """
    return _DisconnectGuard(receive, grace)


class OwnCancel:
    """Cancels the current task on our own account, and keeps that apart from anybody else's cancellation.

    The discipline of `asyncio.timeout`: whoever cancels a task takes it back with `uncancel`. A context manager
    that swallows the `CancelledError` that it asked for, and no other.
    """

    __slots__ = ("_active", "_before", "_task", "requested")

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("found no running task, expected to be called inside one")
        self._task = task
        self._before = task.cancelling()
        self._active = True
        self.requested = False

    def request(self) -> None:
        """Cancels the block, once; nothing happens after its end."""
        if self._active and not self.requested:
            self.requested = True
            self._task.cancel()

    def __enter__(self) -> OwnCancel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._active = False
        only_ours = self.requested and self._task.uncancel() <= self._before
        return only_ours and isinstance(error, asyncio.CancelledError)


def watch_for_disconnect(receive: Receive, leave: Callable[[], None]) -> asyncio.Task[None]:
    """A task that calls `leave` once the client has left, in whichever way the server says so."""

    async def watch() -> None:
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        except OSError:
            pass
        leave()

    return asyncio.create_task(watch(), name="hosting.web.disconnect")


async def stop_task(task: asyncio.Task[None]) -> None:
    """Cancels a task of ours and waits for its end; what it raised stays in the task."""
    task.cancel()
    await asyncio.sleep(0)  # enough for a task that only waits, and cheaper than a waiter of our own
    if not task.done():
        await asyncio.wait((task,))


class _DisconnectGuard:
    __slots__ = ("_cancel", "_grace", "_receive", "_timer", "_watcher")

    _cancel: OwnCancel
    _timer: asyncio.TimerHandle

    def __init__(self, receive: Receive, grace: float) -> None:
        self._receive = receive
        self._grace = grace
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._cancel = OwnCancel()
        self._timer = asyncio.get_running_loop().call_later(self._grace, self._start_watching)

    def _start_watching(self) -> None:
        self._watcher = watch_for_disconnect(self._receive, self._cancel.request)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        client_left = self._cancel.__exit__(kind, error, trace)
        if self._watcher is not None:
            await stop_task(self._watcher)
        if client_left:
            raise ClientGone from None
