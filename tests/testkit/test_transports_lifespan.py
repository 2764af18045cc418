"""The lifespan block starts and stops an app once and tells why it could not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from hosting_testkit.clock import DeadlockError, run_virtual
from hosting_testkit.transports.asgi import ASGIViolation
from hosting_testkit.transports.lifespan import LifespanFailed, lifespan


def starlette(log: list[str], fail: Literal["startup", "shutdown"] | None = None) -> Starlette:
    @asynccontextmanager
    async def steps(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            log.append("started")
            if fail == "startup":
                raise KeyError("no token")
            yield {"key": "value"}
            group.cancel_scope.cancel()
        log.append("stopped")
        if fail == "shutdown":
            raise KeyError("still busy")

    return Starlette(lifespan=steps)


async def test_the_block_runs_between_startup_and_shutdown_with_the_apps_state() -> None:
    log: list[str] = []
    async with lifespan(starlette(log)) as state:
        assert (log, state) == (["started"], {"key": "value"})
    assert log == ["started", "stopped"]


@pytest.mark.parametrize(("phase", "text"), [("startup", "no token"), ("shutdown", "still busy")])
async def test_a_failure_is_raised_with_its_message_and_cause(
    phase: Literal["startup", "shutdown"], text: str
) -> None:
    with pytest.raises(LifespanFailed, match=f"(?s){phase} failed: .*{text}") as failed:
        async with lifespan(starlette([], phase)):
            assert phase == "shutdown"
    assert failed.value.__cause__ is not None
    assert len(asyncio.all_tasks()) == 1


async def test_an_error_in_the_block_stops_the_app_and_comes_out_unchanged() -> None:
    log: list[str] = []
    with pytest.raises(ZeroDivisionError):
        async with lifespan(starlette(log)):
            raise ZeroDivisionError
    assert log == ["started", "stopped"]


async def test_cancelling_the_block_still_stops_the_app_in_order() -> None:
    log: list[str] = []
    with anyio.CancelScope() as scope:
        async with lifespan(starlette(log)):
            scope.cancel()
            await anyio.sleep_forever()
    assert log == ["started", "stopped"]


async def only_http(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotImplementedError(scope["type"])


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()


async def ends_early(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})


async def confused(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def fails_late(scope: Scope, receive: Receive, send: Send) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})
    raise KeyError("after all")


@pytest.mark.parametrize(
    ("app", "text"),
    [
        (only_http, r"raised NotImplementedError\('lifespan'\), expected lifespan.startup.complete"),
        (silent, "returned, expected lifespan.startup.complete"),
        (ends_early, "returned, expected lifespan.shutdown.complete"),
        (confused, "found 'lifespan.shutdown.complete' in answer to"),
        (fails_late, "'after all'.* after shutdown"),
    ],
)
async def test_an_app_that_does_not_play_by_the_protocol_is_an_error(app: Any, text: str) -> None:
    with pytest.raises(LifespanFailed, match=text) as failed:
        async with lifespan(app):
            pass
    assert not isinstance(failed.value.__cause__, ASGIViolation) or app is confused


def test_a_hanging_startup_is_found_without_a_time_limit() -> None:
    async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.Event().wait()

    async def main() -> None:
        async with lifespan(hangs):
            pass

    with pytest.raises(DeadlockError, match="asgi lifespan"):
        run_virtual(main)
