"""The cancellation sweep: one turn, cancelled at each place at which it can be (contract 7.0, 7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ..drivers.turn import Turn
from ..drivers.wire import Reply
from ..stepped_tasks import SteppedTask, SteppedTasks, SuspensionPoint
from ..targets.balanced import Balance, Balanced
from ..targets.leak import Leak
from .census import application_tasks
from .hosted import HostedChannel
from .model import Failed
from .own_lines import OwnLines

MOST_POINTS = 150
_EDGE = 20
_SHOWN_POSITIONS = 3

AS_CANCELLED = "points at which the cancelled task did not end as cancelled"
NO_HANG = "points after which the response does not end"
NO_TASK = "points after which a task is left"
TARGET_CLOSED = "points after which the target was not closed"
WHOLE_SESSION = "points after which half a turn was saved, or an answer that was shown was not"
NEXT_TURN = "points after which the next turn is not answered"
FAULTS = (AS_CANCELLED, NO_HANG, NO_TASK, TARGET_CLOSED, WHOLE_SESSION, NEXT_TURN)


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong after one cancellation.

    Args:
        kind: One of `FAULTS`.
        text: Where it was cancelled, and what was found.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What one cancellation showed.

    Args:
        reached: The turn came to the point.
        cleanup: Where the cancelled task was suspended after it.
        faults: What was wrong.
    """

    reached: bool
    cleanup: Sequence[SuspensionPoint] = ()
    faults: Sequence[Fault] = ()

    @property
    def usable(self) -> bool:
        """The host still answers, so that the sweep can go on with it."""
        return all(fault.kind != NEXT_TURN for fault in self.faults)


class Sweep:
    """Says the same turn again and again in one conversation, and cancels it somewhere each time.

    What is cancelled is the task of the request and the one that the target runs in, with those between them. Enter
    `no_garbage_collection` around it, so that nothing is closed by chance.

    Args:
        hosted: The channel; its target is a `Leak` around `balanced`.
        balanced: The target.
        leak: Watches the target's streams.
        turn: What is said.
    """

    def __init__(self, hosted: HostedChannel, balanced: Balanced, leak: Leak, turn: Turn) -> None:
        self._hosted = hosted
        self._balanced = balanced
        self._leak = leak
        self._turn = turn
        self._lines = OwnLines(type(hosted.driver))
        self._remembers = hosted.driver.capabilities["sessions"].runs
        self._grows = turn.stream or hosted.driver.capabilities["edits"].runs
        self._claims = hosted.driver.capabilities["delivery_ids"].runs
        self._said = 0
        self._known = 0

    async def points(self) -> Sequence[SuspensionPoint]:
        """Every suspension point of one whole turn, and the places before the first step of its own tasks."""
        self._known = self._ended_after(await self._say())  # the first turn may do what later ones need not
        with SteppedTasks() as tasks:
            self._known = self._ended_after(await self._say())
        if not self._balanced.tasks:
            return []
        request = next((task for task in tasks.made if self._is_request(task)), None)
        found: dict[int, SteppedTask] = {} if request is None else {request.number: request}
        running = tasks.of(self._balanced.tasks[-1])
        while running is not None and not running.name.startswith("asgi "):
            found[running.number] = running
            running = running.creator
        return [point for number in sorted(found) for point in _points_of(found[number])]

    async def cancel_at(self, point: SuspensionPoint, again: int = 0) -> Cancelled:
        """Says the turn, cancels it at `point` (and at the `again`th suspension after it), and looks at what is left."""
        before = application_tasks()
        with SteppedTasks(cancel=point, again=again) as tasks:
            reply = await self._say()
        hit = tasks.cancelled
        if hit is None:
            self._known = self._ended_after(reply)
            return Cancelled(reached=False)
        where = self._where(point, hit.points[point.step :], again)
        found = [
            (AS_CANCELLED, _end_of(hit)),
            (NO_HANG, "" if reply else "it was still open after the longest time"),
            (NO_TASK, _left(before)),
            (TARGET_CLOSED, self._target()),
        ]
        found += await self._after(reply)
        faults = [Fault(kind, f"{where}: {text}") for kind, text in found if text]
        return Cancelled(True, hit.points[point.step :], faults)

    def _where(self, point: SuspensionPoint, cleanup: Sequence[SuspensionPoint], again: int) -> str:
        """Where it was cancelled; a clean-up may be over before its second cancellation, as it was not the time before."""
        first = _text_of(point.where, self._lines)
        if not again:
            return first
        if again > len(cleanup):
            return f"{first}, and not again, as this clean-up was shorter than the one before"
        return f"{first}, and again at {_text_of(cleanup[again - 1].where, self._lines)}"

    async def _say(self) -> Reply | None:
        self._said += 1
        turn = self._turn.replace(delivery_id=f"sweep{self._said}") if self._claims else self._turn
        try:
            wire = await self._hosted.wire(self._hosted.inbound(turn))
        except Failed:
            return None
        return Reply(wire, await self._hosted.decode(wire) if wire.complete and wire.status < 400 else ())

    def _is_request(self, task: SteppedTask) -> bool:
        return task.name.startswith(("asgi http ", "asgi websocket ")) and self._hosted.env.path in task.name

    def _ended_after(self, reply: Reply | None) -> int:
        balance = Balance.read(reply.text) if reply else None
        return balance.begun if balance else self._known

    def _target(self) -> str:
        faults = [fault for stream in self._leak.streams if (fault := stream.fault())]
        self._leak.streams.clear()
        if self._balanced.inside:
            faults.append(f"{self._balanced.inside} runs have begun and not ended")
            self._balanced.inside = 0
        return "; ".join(faults)

    async def _after(self, reply: Reply | None) -> Iterator[tuple[str, str]]:
        shown = reply is not None and not reply.errors and Balance.read(reply.text) is not None
        whole = shown and reply is not None and (bool(reply.terminals) or not self._grows)
        after = await self._say()
        next_one = Balance.read(after.text) if after else None
        if next_one is None:
            return iter([(NEXT_TURN, f"observed {after.texts if after else 'no end of the response'}")])
        begun, ended = next_one
        may = {self._known + 1} if whole else {self._known, self._known + 1}
        self._known = begun
        if begun == ended + 1 and (not self._remembers or ended in may):
            return iter(())
        text = f"the next turn is number {begun}, and {ended} ended before it; expected one of {sorted(may)}"
        return iter([(WHOLE_SESSION, text)])


def sampled(points: Sequence[SuspensionPoint], most: int = MOST_POINTS) -> Iterable[SuspensionPoint]:
    """All points, or `most` of them: the first and last ones, and others at even distances between."""
    if len(points) <= most:
        return points
    middle, room = points[_EDGE:-_EDGE], most - 2 * _EDGE
    return [*points[:_EDGE], *(middle[n * len(middle) // room] for n in range(room)), *points[-_EDGE:]]


def _points_of(task: SteppedTask) -> Iterator[SuspensionPoint]:
    if _made_by_a_request(task):  # it holds nothing that its request does not know of
        yield SuspensionPoint(task.number, 0, (f"{task.name} before its first step",))
    yield from task.points


def _made_by_a_request(task: SteppedTask) -> bool:
    maker = task.creator
    while maker is not None and not maker.name.startswith("asgi "):
        maker = maker.creator
    return maker is not None and not task.name.startswith("asgi ")


def _end_of(task: SteppedTask) -> str:
    if not task.handle.done():
        return f"task {task.name!r} still runs"
    return "" if task.handle.cancelled() else f"task {task.name!r} went on to another end"


def _left(before: set[asyncio.Task[None]]) -> str:
    return ", ".join(sorted(f"task {task.get_name()!r}" for task in application_tasks() - before))


def _text_of(where: Sequence[str], lines: OwnLines) -> str:
    """The author's innermost position, and the innermost ones outside asyncio."""
    places = [place for place in map(_short, where) if not place.startswith("asyncio/")][-_SHOWN_POSITIONS:]
    own = [_short(position) for position in where if lines.closeness(position.rpartition(":")[0])]
    return " > ".join([*(place for place in own[-1:] if place not in places), *places])


def _short(position: str) -> str:
    """With a file name that is the same on every machine."""
    file, _, rest = position.rpartition(":")
    return f"{'/'.join(PurePath(file).parts[-2:])}:{rest}" if file else position
