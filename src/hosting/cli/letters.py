"""Dead letters: events and tasks that were given up, and replies that may not have arrived (contract 4.3, 4.7, 11.1).

An event is named by its number in claim order, a reply by its delivery id, a task by its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..state.base import HostStateStore, Statement
from ..state.errors import StateConflict
from ..state.tables import events, outbox, tasks

_KEEP_MS = 24 * 3600 * 1000
"""How long what is tried again is kept once it ended."""

_PAGE = 100


class NoSuchLetter(LookupError):
    """There is none of that name, or it is dead no more."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter.

    Args:
        kind: `event`, `run` for a background run, `delivery` or `task`.
        id: How commands name it.
        channel: Its channel; of a task, its name.
        state: `dead`, or `unknown` for a reply that may have arrived.
        attempts: Times it was tried.
        since_ms: When the event was accepted, or the reply or task was last tried.
        details: More to show.
        content: What people wrote, shown on demand only.
    """

    kind: str
    id: str
    channel: str
    state: str
    attempts: int
    since_ms: int
    details: Mapping[str, Any]
    content: Mapping[str, str]

    @property
    def since(self) -> str:
        return datetime.fromtimestamp(self.since_ms / 1000, UTC).isoformat(timespec="seconds")

    def line(self) -> str:
        """One line for people."""
        return (
            f"{self.kind:<8}  {self.id}  {self.channel}  {self.state}  {self.attempts} attempts  {self.since}"
        )

    def to_dict(self, *, content: bool = False) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "id": self.id,
            "channel": self.channel,
            "state": self.state,
            "attempts": self.attempts,
            "since": self.since,
            **self.details,
            **(self.content if content else {}),
        }


async def every_letter(store: HostStateStore) -> list[Letter]:
    """All dead letters: events, replies, tasks, each kind in its order."""
    kinds = (_dead_events, _lost_deliveries, _dead_tasks)
    return [letter for kind in kinds async for letter in kind(store)]


async def find(store: HostStateStore, id: str) -> Letter:
    """The dead letter of that name.

    Raises:
        NoSuchLetter: There is none.
    """
    found: Letter | None = None
    if id.isascii() and id.isdigit():
        after = events.load_dead_events(after=int(id) - 1, limit=1)
        dead = events.read_events((await store.execute(after))[0])
        found = _of_event(dead[0]) if dead and dead[0].seq == int(id) else None
    else:
        replies, open_or_not = await store.execute(outbox.load_delivery(id), tasks.load_task(id))
        delivery, task = outbox.read_delivery(replies), tasks.read_task(open_or_not)
        if delivery and delivery.state in ("dead", "unknown"):
            found = _of_delivery(delivery)
        elif task and task.state == "failed":
            found = _of_task(task)
    if found is None:
        raise _none(id)
    return found


async def retry(store: HostStateStore, letter: Letter, *, now_ms: int) -> None:
    """Puts it back in line; running hosts find it within seconds.

    Raises:
        NoSuchLetter: It is dead no more.
    """
    expires = now_ms + _KEEP_MS
    match letter.kind:
        case "delivery":
            again = outbox.revive_delivery(letter.id, now_ms=now_ms, expires_ms=expires)
        case "task":
            again = tasks.revive_task(letter.id, now_ms=now_ms)
        case _:
            again = events.revive_event(int(letter.id), expires_ms=expires)
    await _while_dead(store, letter, again)


async def drop(store: HostStateStore, letter: Letter) -> None:
    """Gives it up for good.

    Raises:
        NoSuchLetter: It is dead no more.
    """
    match letter.kind:
        case "delivery":
            gone = outbox.drop_delivery(letter.id)
        case "task":
            gone = tasks.drop_task(letter.id)
        case _:
            gone = events.drop_event(int(letter.id))
    await _while_dead(store, letter, gone)


async def _while_dead(store: HostStateStore, letter: Letter, change: Statement) -> None:
    try:
        await store.execute(change)
    except StateConflict:
        raise _none(letter.id) from None


async def _dead_events(store: HostStateStore) -> AsyncIterator[Letter]:
    after = 0
    while page := events.read_events(
        (await store.execute(events.load_dead_events(after=after, limit=_PAGE)))[0]
    ):
        for event in page:
            yield _of_event(event)
        after = page[-1].seq


async def _lost_deliveries(store: HostStateStore) -> AsyncIterator[Letter]:
    after = 0
    while page := outbox.read_deliveries(
        (await store.execute(outbox.load_lost_deliveries(after=after, limit=_PAGE)))[0]
    ):
        for delivery in page:
            yield _of_delivery(delivery)
        after = page[-1].seq


async def _dead_tasks(store: HostStateStore) -> AsyncIterator[Letter]:
    after = 0
    while page := tasks.read_tasks((await store.execute(tasks.load_dead_tasks(after=after, limit=_PAGE)))[0]):
        for task in page:
            yield _of_task(task)
        after = page[-1].seq


def _of_event(event: events.TakenEvent) -> Letter:
    return Letter(
        kind=event.kind,
        id=str(event.seq),
        channel=event.channel,
        state="dead",
        attempts=event.attempts,
        since_ms=event.claimed_ms,
        details={"delivery_id": event.delivery_id, "shown": event.seen is not None},
        content={"payload": event.payload},
    )


def _of_delivery(delivery: outbox.Delivery) -> Letter:
    return Letter(
        kind="delivery",
        id=delivery.id,
        channel=delivery.channel,
        state=delivery.state,
        attempts=delivery.attempts,
        since_ms=delivery.updated_ms,
        details={"turn_id": delivery.turn_id},
        content={"destination": delivery.destination, "payload": delivery.payload},
    )


def _of_task(task: tasks.StoredTask) -> Letter:
    return Letter(
        kind="task",
        id=task.id,
        channel=task.name,
        state="dead",
        attempts=task.attempts,
        since_ms=task.updated_ms,
        details={"error": task.last_error, "key": task.order_key},
        content={"payload": task.payload},
    )


def _none(id: str) -> NoSuchLetter:
    return NoSuchLetter(f"found no dead letter {id!r}: it never was one, or is tried again already")
