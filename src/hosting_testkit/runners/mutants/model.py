"""What a broken runner is: the embedded one behind a face that lies, or over a store that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hosting.durable import (
    DurableTaskPayloadMode,
    DurableTaskRunner,
    InProcessTaskRunner,
    PlannedTask,
    RunnerServices,
    TaskHandle,
    TaskHandler,
    TaskStatus,
)
from hosting.state import HostStateStore, Rows, Statement

from ..over_store import Line, StoreHarness

Rewrite = Callable[[Statement], Statement | None]
"""Gives a statement as the broken runner would send it; None if it would not."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One defect.

    Args:
        name: Short, unique.
        defect: What is wrong, in words.
        kills: Checks that must find it.
        face: Puts the defect before a runner.
        rewrite: Puts it between the runner and its store.
        options: Arguments of `InProcessTaskRunner` that are the defect.
    """

    name: str
    defect: str
    kills: Sequence[str]
    face: Callable[[DurableTaskRunner], DurableTaskRunner] | None = None
    rewrite: Callable[[], Rewrite] | None = None
    options: Mapping[str, Any] | None = None


MUTANTS: dict[str, Mutant] = {}
"""Every mutant by name; complete once `hosting_testkit.runners.mutants` was imported."""


def mutant(name: str, defect: str, *kills: str, **how: Any) -> None:
    """Adds a mutant."""
    assert name not in MUTANTS, f"a second mutant is named {name!r}"
    MUTANTS[name] = Mutant(name, defect, kills, **how)


class MutantHarness(StoreHarness):
    """The embedded runner with one defect, over a store.

    Args:
        mutant: The defect.
        store: As `StoreHarness`.
        victim: As `StoreHarness`; the process that is killed has no defect.
    """

    patience = 3.0

    def __init__(self, mutant: Mutant, store: HostStateStore, *, victim: Sequence[str] | None = None) -> None:
        super().__init__(store, victim=victim)
        self._mutant = mutant

    def make(self, *, concurrency: int = 4, lease: float | None = None) -> DurableTaskRunner:
        options: dict[str, Any] = {"concurrency": concurrency, "lease": lease or self.lease, "poll": 0.05}
        runner: DurableTaskRunner = InProcessTaskRunner(**{**options, **(self._mutant.options or {})})
        if self._mutant.face is not None:
            runner = self._mutant.face(runner)
        lying = None if self._mutant.rewrite is None else Rewriting(self._shared, self._mutant.rewrite())
        self.bind(runner, lying)
        return runner


class Rewriting(Line):
    """A store that is sent other statements than it was meant to get."""

    def __init__(self, store: HostStateStore, rewrite: Rewrite) -> None:
        super().__init__(store)
        self._rewrite = rewrite

    async def execute(self, *unit: Statement) -> list[Rows]:
        sent = [self._rewrite(statement) for statement in unit]
        kept = [statement for statement in sent if statement is not None]
        rows = iter(await super().execute(*kept) if kept else [])
        return [[] if statement is None else next(rows) for statement in sent]


class Face:
    """A runner that passes everything on; a mutant passes one thing on wrongly."""

    def __init__(self, inner: DurableTaskRunner) -> None:
        self.inner = inner

    @property
    def payload_mode(self) -> DurableTaskPayloadMode:
        return self.inner.payload_mode

    @property
    def in_process(self) -> bool:
        return self.inner.in_process

    def describe(self) -> str:
        return self.inner.describe()

    def bind(self, services: RunnerServices) -> None:
        self.inner.bind(services)

    def joins(self, store: HostStateStore) -> bool:
        return self.inner.joins(store)

    def register(
        self, name: str, handler: TaskHandler, *, decode: Callable[[Any], Any] | None = None
    ) -> None:
        self.inner.register(name, handler, decode=decode)

    def plan(self, name: str, payload: Any, **options: Any) -> PlannedTask:
        return self.inner.plan(name, payload, **options)

    async def schedule(self, name: str, payload: Any, **options: Any) -> TaskHandle:
        return await self.inner.schedule(name, payload, **options)

    def wake(self) -> None:
        self.inner.wake()

    async def get(self, handle: TaskHandle) -> TaskStatus:
        return await self.inner.get(handle)

    async def cancel(self, handle: TaskHandle) -> bool:
        return await self.inner.cancel(handle)

    async def resume(self) -> None:
        await self.inner.resume()

    async def drain(self, timeout: float) -> None:
        await self.inner.drain(timeout)
