"""Fixtures for tests of channels and apps: `pytest_plugins = ["hosting_testkit.pytest_fixtures"]` in the root conftest.

`-p hosting_testkit.pytest_fixtures` does the same. They are apart from the plugin that every project with the kit gets,
so that they neither weigh on its start nor take names in suites that did not ask. None is automatic. What needs a
running loop is a context manager, not an async fixture, so that it works under any async plugin and under none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

# The rest is imported by the fixtures themselves: pytest has to see other plugins, such as anyio's, before they are used.
if TYPE_CHECKING:
    from hosting import Channel

    from .clock import VirtualClock
    from .conformance.scenarios import Played
    from .host import InMemoryHost
    from .simulators import BotPlatform
    from .targets.told import FakeTarget

__all__ = [
    "ChannelHost",
    "EventStreamSnapshot",
    "bot_platform",
    "channel_host",
    "event_stream_snapshot",
    "fake_target",
    "socket_guard",
    "virtual_clock",
]


class ChannelHost(Protocol):
    """Starts a host for some channels; see `channel_host`."""

    def __call__(
        self, *channels: Channel, target: Any = None, **host_options: Any
    ) -> AbstractAsyncContextManager[InMemoryHost]: ...


class EventStreamSnapshot(Protocol):
    """Compares with a kept text; see `event_stream_snapshot`."""

    def __call__(self, played: Played, *, form: Literal["events", "sse"] = "events") -> None: ...


@pytest.fixture
def virtual_clock() -> VirtualClock:
    """A clock that stands still until it is moved; in a virtual loop it is the loop's, once a host has started."""
    from .clock import VirtualClock

    return VirtualClock()


@pytest.fixture
def fake_target() -> FakeTarget:
    """The target of `channel_host`: echoes, or does what `fake_target.says(...)` told it; `.runs` is its log."""
    from .targets.told import FakeTarget

    return FakeTarget()


@pytest.fixture
def channel_host(virtual_clock: VirtualClock, fake_target: FakeTarget) -> ChannelHost:
    """`async with channel_host(MyChannel()) as host:` serves `fake_target`, or another `target=`, in memory.

    In a virtual loop (`@virtual_time`) the host goes by `virtual_clock`, elsewhere by the machine's clock.
    """
    from .host import InMemoryHost

    @asynccontextmanager
    async def started(
        *channels: Channel, target: Any = None, **host_options: Any
    ) -> AsyncGenerator[InMemoryHost]:
        if _is_virtual():
            host_options.setdefault("time_source", virtual_clock.bind())
        served = fake_target if target is None else target
        async with InMemoryHost(served, channels, **host_options) as host:
            yield host

    return started


@pytest.fixture
def bot_platform(virtual_clock: VirtualClock) -> Callable[..., AbstractAsyncContextManager[BotPlatform]]:
    """`async with bot_platform() as platform:` is a chat platform in memory; arguments as for `BotPlatform`."""
    from .simulators import BotPlatform

    @asynccontextmanager
    async def started(**options: Any) -> AsyncGenerator[BotPlatform]:
        if _is_virtual():
            options.setdefault("clock", virtual_clock.bind())
        async with BotPlatform(**options) as platform:
            yield platform

    return started


@pytest.fixture
def event_stream_snapshot(request: pytest.FixtureRequest) -> EventStreamSnapshot:
    """`event_stream_snapshot(play(MyDriver, "happy-stream"))` fails where a channel no longer sends what it did.

    The text is in `conformance_snapshots/CHANNEL/SCENARIO.events` beside the test, or `.sse` with `form="sse"`;
    `--snapshot-update` (syrupy's option) writes it, but not in CI. It is not in `__snapshots__`, where syrupy deletes what
    it did not write.
    """
    from .snapshots import refuse_update_in_ci, render

    refuse_update_in_ci(request.config)
    update = bool(request.config.getoption("update_snapshots", False))
    beside = request.path.parent / "conformance_snapshots"

    def compare(played: Played, *, form: Literal["events", "sse"] = "events") -> None:
        file = beside / played.channel / f"{played.scenario}.{form}"
        found = render.events(played.events) if form == "events" else render.sse(played.body)
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(found, encoding="utf-8", newline="\n")
        if not file.is_file():
            pytest.fail(f"there is no {file}; run pytest --snapshot-update, look at it, commit it")
        kept = file.read_text(encoding="utf-8")
        assert found == kept, f"{played.channel} no longer sends what {file.name} holds"

    return compare


@pytest.fixture
def socket_guard() -> Generator[list[str]]:
    """Stops connections and name look-ups for the length of a test; gives the list of what was tried."""
    from .conformance.guard import no_network

    with no_network(advice="this test asked for socket_guard; use a client in memory") as tried:
        yield tried


def _is_virtual() -> bool:
    from .clock import VirtualLoop

    return isinstance(asyncio.get_running_loop(), VirtualLoop)
