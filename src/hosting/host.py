"""`AgentFrameworkHost`: one target, many channels, one application (contract 1)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from . import options
from .app import Contributed, build_app
from .channel import Channel, ChannelIngress, ChannelPush
from .clock import SystemTime, TimeSource
from .context import HostContext
from .delivery.inbox import Inbox
from .delivery.outbox import Outbox
from .envelope import ChannelRequest
from .ids import IdSource, RandomIds
from .lifecycle import Lifecycle, Started
from .limits import HostLimits
from .parts import build_services, build_store, channel_entry
from .results import HostedRunResult, HostedStreamResult
from .state import HostStateStore, Sweeper
from .state.tables import turns
from .state.tables.turns import StoredTurn
from .tasks import OwnedTasks
from .turn.builtin_commands import BUILT_IN
from .turn.interrupted import end_interrupted
from .turn.turn import ChannelEntry


class AgentFrameworkHost:
    """Serves one agent or workflow through many channels as one Starlette application.

    Building does no I/O and needs no running loop (contract 1.2).

    Args:
        target: An agent (`SupportsAgentRun`), a `Workflow`, or a factory of workflows. Final.
        channels: The channels; final once `app` is built.
        middleware: Starlette middleware around everything.
        state: A `HostStateStore` or its URL (`sqlite:///…`, `memory:`); wins over `state_dir`.
        state_dir: A folder for the embedded SQLite store. Nothing given: memory.
        limits: What the host bounds.
        log_content: Whether message text and identities may be logged.
        public_url: The app's own address, for absolute URLs.
        time_source: Where time comes from.
        id_source: Where ids come from.
        debug: Adds detail to errors, and warns at start.
        unavailable: The contract's options of features that do not exist yet (identity linking, push, durable tasks);
            each is refused unless it has its default.

    Raises:
        ChannelConfigurationError: An option, a channel or their addresses do not fit (contract 1.5).
    """

    def __init__(
        self,
        target: Any,
        *,
        channels: Sequence[Channel],
        middleware: Sequence[Middleware] = (),
        state: HostStateStore | str | None = None,
        state_dir: str | Path | None = None,
        limits: HostLimits | None = None,
        log_content: bool = False,
        public_url: str | None = None,
        time_source: TimeSource | None = None,
        id_source: IdSource | None = None,
        debug: bool = False,
        **unavailable: Any,
    ) -> None:
        options.refuse_unavailable(unavailable)
        options.check_channels(channels)
        self._log = logging.getLogger("hosting")
        self._middleware = tuple(middleware)
        self._public_url = public_url
        self._debug = debug
        self._ids = id_source or RandomIds()
        self._clock = time_source or SystemTime()
        self._limits = limits or HostLimits()
        self._draining = asyncio.Event()
        self._store = build_store(state, state_dir, logger=self._log)
        self._channels = {channel.name: channel for channel in channels}
        self._entries = {channel.name: channel_entry(channel) for channel in channels}
        self._tasks = OwnedTasks(self._log)
        self._outbox = Outbox(
            self._store,
            {name: channel for name, channel in self._channels.items() if isinstance(channel, ChannelPush)},
            clock=self._clock,
            logger=self._log,
        )
        self._inbox = Inbox(
            self._store,
            {
                name: channel
                for name, channel in self._channels.items()
                if isinstance(channel, ChannelIngress)
            },
            clock=self._clock,
            limits=self._limits,
            logger=self._log,
            draining=self._draining,
        )
        self._sweeper = Sweeper(self._store, clock=self._clock, logger=self._log)
        self._services = build_services(
            target,
            self._store,
            limits=self._limits,
            clock=self._clock,
            ids=self._ids,
            logger=self._log,
            wake_outbox=self._outbox.wake,
            nudge_sweeper=self._sweeper.nudge,
            debug=debug,
            log_content=log_content,
        )
        self._lifecycle = Lifecycle(
            self._store,
            self._inbox,
            self._outbox,
            self._sweeper,
            self._tasks,
            self._services.running,
            self._draining,
            self._limits,
            self._log,
            recover=lambda: end_interrupted(self._services),
        )
        self._contributed: tuple[Contributed, ...] | None = None
        self._app: Starlette | None = None
        self._entered: AbstractAsyncContextManager[None] | None = None

    @property
    def app(self) -> Starlette:
        """The application, built once, at first use (contract 1.2)."""
        if self._app is None:
            self._app = build_app(
                self._contributions(),
                lifecycle=self._lifecycle,
                lifespan=self._lifespan,
                middleware=self._middleware,
                error_id=lambda: self._ids.new("err"),
                logger=self._log,
                debug=self._debug,
            )
        return self._app

    @property
    def limits(self) -> HostLimits:
        return self._limits

    async def __aenter__(self) -> AgentFrameworkHost:
        """Runs the host's lifespan without a server (contract 1.8)."""
        _ = self.app
        self._entered = self._lifespan()
        await self._entered.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        entered, self._entered = self._entered, None
        if entered is not None:
            await entered.__aexit__(kind, exc, trace)

    async def run(self, request: ChannelRequest) -> HostedRunResult[Any]:
        """Runs one turn from trusted code, as if its channel had received it (contract 1.8)."""
        return await self._context(request.channel).run(request)

    async def run_stream(self, request: ChannelRequest) -> HostedStreamResult:
        """Streams one turn from trusted code (contract 1.8)."""
        return await self._context(request.channel).run_stream(request)

    async def get_turn(self, turn_id: str) -> StoredTurn | None:
        """What the store knows of a turn (contract 3.5)."""
        return turns.read_turn((await self._store.execute(turns.load_turn(turn_id)))[0])

    async def reset_session(self, isolation_key: str) -> None:
        """Moves the key to a new session; the old one stays readable (contract 6.5)."""
        await self._services.sessions.reset(isolation_key)

    def begin_drain(self) -> None:
        """New turns get 503 from now on; those under way go on (contract 1.7)."""
        self._draining.set()

    def serve(self, host: str = "127.0.0.1", port: int = 8000, **config: Any) -> None:
        """Serves the app in this process on Hypercorn until SIGINT or SIGTERM (contract 1.2, 1.7).

        Args:
            host: Address to bind.
            port: Port to bind; 0 takes a free one.
            config: Settings of `hypercorn.config.Config`, over the host's own defaults.

        Raises:
            ChannelConfigurationError: The extra `hosting[serve]` is not installed, or more than one worker is asked for.
        """
        from .serve import serve

        serve(self, host, port, config)

    def _contributions(self) -> Sequence[Contributed]:
        if self._contributed is None:
            self._contributed = tuple(self._contribute(channel) for channel in self._channels.values())
        return self._contributed

    def _contribute(self, channel: Channel) -> Contributed:
        contribution = channel.contribute(self._context(channel.name))
        commands = (
            (*BUILT_IN, *contribution.commands) if _takes_commands(channel, contribution.commands) else ()
        )
        entry = self._entries[channel.name]
        self._entries[channel.name] = options.with_commands(entry, commands)
        return Contributed(channel, contribution)

    def _context(self, name: str) -> HostContext:
        return HostContext(
            lambda: self._entry(name),
            name=name,
            services=self._services,
            inbox=self._inbox,
            tasks=self._tasks,
            draining=self._draining,
            admit=self._lifecycle.admit,
            public_url=self._public_url,
        )

    def _entry(self, name: str) -> ChannelEntry:
        try:
            return self._entries[name]
        except KeyError:
            raise ValueError(f"no channel {name!r} on this host, only {sorted(self._entries)}") from None

    @asynccontextmanager
    async def _lifespan(self) -> AsyncGenerator[None]:
        started = [Started(item.channel.name, item.contribution) for item in self._contributions()]
        self._draining.clear()
        self._log.info("%s", self._start_line())
        if self._debug:
            self._log.warning(
                "debug=True: error answers carry exception text; never use it where others can call"
            )
        async with self._lifecycle.running(started):
            yield

    def _start_line(self) -> str:
        """What is served, where, by what means; never a secret (contract 1.9)."""
        channels = ", ".join(f"{name} at {channel.path or '/'}" for name, channel in self._channels.items())
        target = self._services.target.info
        return f"serving {target.kind} {target.name!r} through {channels}; state: {self._store.describe()}"


def _takes_commands(channel: Channel, contributed: Sequence[Any]) -> bool:
    """Chat channels have commands; an API channel has them only if it brings some (contract 13.2)."""
    return isinstance(channel, ChannelIngress) or bool(contributed)
