"""One call of an ASGI app in a task of its own, which can be ended for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context

import anyio

from .asgi import ASGIApp, Receive, Scope, Send
from .transcript import AppEnded, AppFailed, AppKilled, Transcript


class AppTask:
    """Runs the app in a fresh context (as a server does) and keeps its outcome; `on_end` is called once."""

    def __init__(
        self,
        app: ASGIApp,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        transcript: Transcript,
        on_end: Callable[[], None],
    ) -> None:
        self.error: BaseException | None = None
        self.ended = False
        self._transcript = transcript
        self._on_end = on_end
        self._task = asyncio.get_running_loop().create_task(
            self._run(app, scope, receive, send),
            name=f"asgi {scope['type']} {scope.get('path', '')}".rstrip(),
            context=Context(),
        )

    async def _run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except (Exception, asyncio.CancelledError) as error:
            self.error = error
            self._transcript.add(AppFailed(self._transcript.now(), error))
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            self._transcript.add(AppEnded(self._transcript.now()))
        finally:
            self.ended = True
            self._on_end()

    async def stop(self, grace: float | None) -> None:
        """Wait until the app has ended, at most `grace` seconds of loop time; then cancel it and wait.

        Holds off cancel scopes around it. A cancellation of the calling task cancels the app at once.
        """
        with anyio.CancelScope(shield=True):
            try:
                if grace != 0:
                    await asyncio.wait({self._task}, timeout=grace)
            finally:
                await self._kill(grace)

    async def _kill(self, grace: float | None) -> None:
        if not self._task.done():
            self._transcript.add(AppKilled(self._transcript.now(), grace))
            self._task.cancel()
            await asyncio.wait({self._task})
