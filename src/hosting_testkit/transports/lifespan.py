"""The ASGI lifespan protocol as an `async with` block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from .app_task import AppTask
from .asgi import ASGIApp, ASGIViolation, Message
from .transcript import Transcript
from .wakeup import Wakeup


class LifespanFailed(Exception):
    """The app failed to start or to stop; the text holds its message, `__cause__` its exception if it raised one."""


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncGenerator[dict[str, Any]]:
    """Start the app, give its lifespan state (for `BridgeOptions.state`) and stop it when the block ends.

    The protocol runs in one task of its own, so the app may hold task groups open across the block. A cancelled
    block still stops the app. Nothing here has a time limit: an app that hangs is found by `VirtualLoop`.

    Raises:
        LifespanFailed: if startup or shutdown failed, or the app ended in between or did not answer.
    """
    run = _Lifespan(app)
    try:
        await run.ask("startup")
        try:
            yield run.state
        finally:
            with anyio.CancelScope(shield=True):
                await run.ask("shutdown")
        await run.finish()
    finally:
        await run.cancel()


class _Lifespan:
    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._wakeup = Wakeup()
        self._asked: list[str] = []
        self._delivered = 0
        self._answers: dict[str, str | None] = {}
        asgi = {"version": "3.0", "spec_version": "2.0"}
        self._task = AppTask(
            app,
            {"type": "lifespan", "asgi": asgi, "state": self.state},
            self._receive,
            self._send,
            transcript=Transcript(),
            on_end=self._wakeup.notify,
        )

    async def ask(self, phase: str) -> None:
        self._asked.append(phase)
        self._wakeup.notify()
        await self._wakeup.until(lambda: phase in self._answers or self._task.ended)
        if phase not in self._answers:
            ending = "returned" if self._task.error is None else f"raised {self._task.error!r}"
            raise LifespanFailed(
                f"the app {ending}, expected lifespan.{phase}.complete"
            ) from self._task.error
        failure = self._answers[phase]
        if failure is not None:
            await self.cancel()
            raise LifespanFailed(f"{phase} failed: {failure}") from self._task.error

    async def finish(self) -> None:
        """Wait until the app has returned after its last answer."""
        await self._task.stop(None)
        if self._task.error is not None:
            raise LifespanFailed(f"the app raised {self._task.error!r} after shutdown") from self._task.error

    async def cancel(self) -> None:
        """End the app now; does nothing if it has ended."""
        await self._task.stop(0)

    async def _receive(self) -> Message:
        await asyncio.sleep(0)
        await self._wakeup.until(lambda: len(self._asked) > self._delivered)
        phase = self._asked[self._delivered]
        self._delivered += 1
        return {"type": f"lifespan.{phase}"}

    async def _send(self, message: Message) -> None:
        # Yield first: an app that reports a failure and then raises has raised before the failure is noticed.
        await asyncio.sleep(0)
        protocol, _, rest = message["type"].partition(".")
        phase, _, outcome = rest.partition(".")
        if protocol != "lifespan" or outcome not in ("complete", "failed") or phase not in self._asked:
            raise ASGIViolation(f"found {message['type']!r} in answer to {self._asked}")
        self._answers[phase] = None if outcome == "complete" else message.get("message", "")
        self._wakeup.notify()
