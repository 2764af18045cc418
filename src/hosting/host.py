"""`AgentFrameworkHost`: one target, many channels, one application (contract 1)."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from . import options
from .app import Contributed, build_app
from .assembly import Ground, HostPlan, assemble
from .channel import Channel, ChannelIngress
from .clock import SystemTime, TimeSource
from .context import HostContext
from .delivery.inbox import EventInWork
from .durable.hosted import plan_tasks
from .durable.runner import DurableTaskRunner
from .durable.runtime import RuntimeMode
from .envelope import ChannelRequest
from .errors import ChannelConfigurationError, UnknownReference
from .ids import IdSource, RandomIds
from .lifecycle import Started
from .limits import HostLimits
from .parts import channel_entry
from .results import ContinuationToken, HostedRunResult, HostedStreamResult
from .runs.token import continuation_of, token_hash
from .state import HostStatePaths, HostStateStore, plan_state
from .state.tables import turns
from .state.tables.events import EventEnd, TakenEvent
from .state.tables.turns import StoredTurn
from .turn.builtin_commands import BUILT_IN
from .turn.interrupted import give_up
from .turn.turn import ChannelEntry

if TYPE_CHECKING:
    from agent_framework import CheckpointStorage


class AgentFrameworkHost:
    """Serves one agent or workflow through many channels as one Starlette application.

    Building does no I/O and needs no running loop (contract 1.2).

    Args:
        target: An agent (`SupportsAgentRun`), a `Workflow`, or a factory of workflows. Final.
        channels: The channels; final once `app` is built.
        middleware: Starlette middleware around everything.
        state: A `HostStateStore` or its URL (`sqlite:///…`, `memory:`); wins over `state_dir`.
        state_dir: A folder for the embedded SQLite store, or `HostStatePaths` for one per part. One host, or one group of
            `hosting serve` workers, holds it (contract 15.3). Nothing given: memory.
        shared_state_dir: Several hosts on this machine share the folder.
        checkpoint_location: Where a workflow's checkpoints are kept instead of in the store (contract 8.5): the path of a
            folder, or a `CheckpointStorage` of the app's own. It is saved to before the store's commit names the
            checkpoint, so both must last as long. Refused for an agent.
        durable_task_runner: Runs work that outlives a process; by default `InProcessTaskRunner()` over the host's state.
        runtime_mode: Whether the process stays between requests; `auto` knows the platforms where it does not (11.3).
        allow_in_process_runner: The platform keeps the process running all the same.
        limits: What the host bounds.
        log_content: Whether message text and identities may be logged.
        public_url: The app's own address, for absolute URLs.
        time_source: Where time comes from.
        id_source: Where ids come from.
        debug: Adds detail to errors, and warns at start.
        unavailable: The contract's options of features that do not exist yet (identity linking, push); each is refused
            unless it has its default.

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
        state_dir: str | PathLike[str] | HostStatePaths | None = None,
        shared_state_dir: bool = False,
        checkpoint_location: str | PathLike[str] | CheckpointStorage | None = None,
        durable_task_runner: DurableTaskRunner | None = None,
        runtime_mode: RuntimeMode = "auto",
        allow_in_process_runner: bool = False,
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
        self._ground = Ground(
            clock=time_source or SystemTime(),
            ids=id_source or RandomIds(),
            limits=limits or HostLimits(),
            logger=logging.getLogger("hosting"),
            debug=debug,
        )
        self._middleware = tuple(middleware)
        self._public_url = public_url
        self._channels = {channel.name: channel for channel in channels}
        self._entries = {channel.name: channel_entry(channel) for channel in channels}
        state_plan = plan_state(state, state_dir, shared=shared_state_dir, logger=self._ground.logger)
        runtime, runner = plan_tasks(
            durable_task_runner,
            mode=runtime_mode,
            allow_in_process_runner=allow_in_process_runner,
            environ=os.environ,
            channels=channels,
            state=state_plan,
        )
        self._plan = HostPlan(
            state=state_plan,
            runtime=runtime,
            runner=runner,
            checkpoint_location=checkpoint_location,
            log_content=log_content,
        )
        self._parts = assemble(
            target, self._channels, self._ground, self._plan, give_up=self._give_up, run=self._run
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
                lifecycle=self._parts.lifecycle,
                lifespan=self._lifespan,
                middleware=self._middleware,
                error_id=lambda: self._ground.ids.new("err"),
                logger=self._ground.logger,
                debug=self._ground.debug,
            )
        return self._app

    @property
    def limits(self) -> HostLimits:
        return self._ground.limits

    @property
    def instance(self) -> str:
        """This host among others on its store."""
        return self._parts.instance.id

    @property
    def store(self) -> HostStateStore:
        """Where the state is, for tools of operators: a running host has it open."""
        return self._plan.state.store

    @property
    def durable_task_runner(self) -> DurableTaskRunner:
        """Who runs the durable tasks; register handlers before the host starts (contract 11.1).

        Raises:
            ChannelConfigurationError: The process does not stay, and no runner elsewhere was given (contract 11.3).
        """
        if self._plan.runner is None:
            raise ChannelConfigurationError(
                f"this host is {self._plan.runtime.describe()} and has no durable tasks: give durable_task_runner="
                "ProcrastinateTaskRunner(...), or allow_in_process_runner=True if the platform keeps the process running",
                field="durable_task_runner",
            )
        return self._plan.runner

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

    async def run_in_background(self, request: ChannelRequest) -> ContinuationToken:
        """Stores one turn of trusted code as a background run, and returns at once (contract 1.8, 12.1)."""
        return await self._context(request.channel).run_in_background(request)

    async def get_continuation(self, token: str) -> ContinuationToken:
        """A background run as it stands now; trusted code may see anybody's (contract 1.8).

        Raises:
            UnknownReference: There is no such run, or it has expired.
        """
        run = await self._parts.services.logs.load(token_hash(token))
        if run is None:
            raise UnknownReference("There is no such run.")
        return continuation_of(run, token)

    async def get_turn(self, turn_id: str) -> StoredTurn | None:
        """What the store knows of a turn (contract 3.5)."""
        return turns.read_turn((await self._plan.state.store.execute(turns.load_turn(turn_id)))[0])

    async def reset_session(self, isolation_key: str) -> None:
        """Moves the key to a new session; the old one stays readable (contract 6.5)."""
        await self._parts.services.sessions.reset(isolation_key)

    def begin_drain(self) -> None:
        """New turns get 503 from now on; those under way go on (contract 1.7)."""
        self._ground.draining.set()

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
        contribution = options.check_contribution(channel, channel.contribute(self._context(channel.name)))
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
            services=self._parts.services,
            inbox=self._parts.inbox,
            tasks=self._parts.tasks,
            draining=self._ground.draining,
            admit=self._parts.lifecycle.admit,
            public_url=self._public_url,
        )

    async def _give_up(self, work: EventInWork, /, *, code: str, end: EventEnd) -> None:
        apology = self._entry(work.taken.channel).apology
        await give_up(work, self._parts.services, apology=apology, code=code, end=end)

    async def _run(self, taken: TakenEvent) -> None:
        await self._context(taken.channel).process_run(taken)

    def _entry(self, name: str) -> ChannelEntry:
        try:
            return self._entries[name]
        except KeyError:
            raise ValueError(f"no channel {name!r} on this host, only {sorted(self._entries)}") from None

    @asynccontextmanager
    async def _lifespan(self) -> AsyncGenerator[None]:
        started = [Started(item.channel.name, item.contribution) for item in self._contributions()]
        self._ground.draining.clear()
        self._ground.logger.info("%s", self._start_line())
        for warning in self._plan.runtime.warnings:
            self._ground.logger.warning("%s", warning)
        if self._ground.debug:
            self._ground.logger.warning(
                "debug=True: error answers carry exception text; never use it where others can call"
            )
        try:
            async with self._parts.lifecycle.running(started):
                yield
        finally:
            await self._parts.services.sessions.close()

    def _start_line(self) -> str:
        """What is served, where, by what means; never a secret (contract 1.9)."""
        channels = ", ".join(f"{name} at {channel.path or '/'}" for name, channel in self._channels.items())
        target = self._parts.services.target.info
        place = self._parts.services.sessions.checkpoint_place
        state = self._plan.state.store.describe() + (f"; checkpoints: {place}" if place else "")
        if self._plan.state.in_memory:
            state += f"; in memory, gone at a restart: {', '.join(self._plan.state.in_memory)}"
        runner = "none" if self._plan.runner is None else self._plan.runner.describe()
        return (
            f"serving {target.kind} {target.name!r} through {channels}; state: {state}; durable tasks: {runner}; "
            f"runtime: {self._plan.runtime.describe()}"
        )


def _takes_commands(channel: Channel, contributed: Sequence[Any]) -> bool:
    """Chat channels have commands; an API channel has them only if it brings some (contract 13.2)."""
    return isinstance(channel, ChannelIngress) or bool(contributed)
