"""Runs one and the same life again and again, killed at another step each time, and says what people saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from ..clock import run_virtual
from .kept import KeptOutcomes
from .plan import CrashPlan, CrashPoint, Step, TakesOver, When

Life = Callable[[CrashPlan], Awaitable[Sequence[str]]]
"""One run: builds its platform and a `CrashingHost` with the plan, has one message said, gives the replies that are seen
in the end."""

_WHENS: tuple[When, ...] = ("before", "after")
_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class CrashRun:
    """One run.

    Args:
        point: Where it was killed; None: it was not.
        step: What it was about to do, or had just done.
        takes_over: When the next process took over.
        replies: What was seen in the end.
        kept: What the rows say.
    """

    point: CrashPoint | None
    step: Step | None
    takes_over: TakesOver
    replies: Sequence[str]
    kept: KeptOutcomes

    def __str__(self) -> str:
        if self.point is None:
            return "without a crash"
        return f"killed {self.point.when} step {self.point.step} ({self.step}), taken over {self.takes_over}"


def check_answered_once(replies: Sequence[str], kept: KeptOutcomes) -> None:
    """One message got one reply, or it is on record why not (contract 4.5, 4.7, 14.4).

    The apology of an interrupted turn may stand beside the part of a reply whose id the host never learned.

    Args:
        replies: What is seen of replies to it, each message once.
        kept: What the rows say.

    Raises:
        AssertionError: A reply was seen twice, something was accepted and never ended, or nobody can say why there is none.
    """
    if len(replies) > (2 if kept.left_a_part else 1):
        raise AssertionError(
            f"the message was answered {len(replies)} times: found {list(replies)!r}, expected one reply; let the host "
            "send it (commit, then push), and mark what is shown before with context.mark_seen"
        )
    if kept.open:
        raise AssertionError(
            f"accepted and never ended: {', '.join(kept.open)}; expected each to end within five minutes"
        )
    if not replies and not kept.recorded:
        raise AssertionError(
            "the message was lost: found no reply and no record of a reason, expected one of them; acknowledge a message "
            "only after context.accept has returned"
        )


def crash_everywhere(life: Life, *, takes_over: TakesOver = "at once") -> Iterator[CrashRun]:
    """Runs `life` without a crash, then killed before and after each step that it made.

    Raises:
        AssertionError: It did not come to the step at which it was to be killed: it is not the same each time.
    """
    first, steps = _run(life, None, (), takes_over)
    yield first
    for number in range(1, len(steps) + 1):
        for when in _WHENS:
            run, made = _run(life, CrashPoint(number, when), steps, takes_over)
            if made[:number] != steps[:number]:
                raise AssertionError(
                    f"step {number}: found {[str(step) for step in made[:number]]}, expected what the run without a "
                    f"crash did: {[str(step) for step in steps[:number]]}; take time and ids from virtual sources"
                )
            yield run


def check_every_crash(
    life: Life, *, takes_over: Sequence[TakesOver] = ("at once", "after the lease")
) -> Sequence[CrashRun]:
    """Kills `life` before and after each of its steps; each time its one message must be answered once, or on record.

    Args:
        life: One run with one message.
        takes_over: When the next process takes over; all are tried.

    Returns:
        All runs, for a look at them.

    Raises:
        AssertionError: Names the steps at which the promise was broken, and how; it stops at the tenth, and at once where
            it is broken without a crash.
    """
    runs: list[CrashRun] = []
    broken: list[str] = []
    for how in takes_over:
        for run in crash_everywhere(life, takes_over=how):
            runs.append(run)
            if told := _broken(run):
                broken.append(f"{run}: {told}")
            if run.point is None or len(broken) == _MOST_TOLD:
                _raise(broken, runs)
    _raise(broken, runs)
    return runs


def _broken(run: CrashRun) -> str:
    try:
        check_answered_once(run.replies, run.kept)
    except AssertionError as error:
        return str(error)
    if run.point is None and len(run.replies) != 1:
        return f"found {list(run.replies)!r}, expected one reply"
    return ""


def _raise(broken: Sequence[str], runs: Sequence[CrashRun]) -> None:
    if broken:
        told = "\n".join(broken)
        raise AssertionError(f"{len(broken)} of {len(runs)} runs broke the promise\n{told}")


def _run(
    life: Life, point: CrashPoint | None, steps: Sequence[Step], takes_over: TakesOver
) -> tuple[CrashRun, Sequence[Step]]:
    plan = CrashPlan(*([point] if point else []), takes_over=takes_over)

    async def lived() -> Sequence[str]:
        return await life(plan)

    replies = run_virtual(lived)
    step = steps[point.step - 1] if point else None
    return CrashRun(point, step, takes_over, replies, plan.kept), plan.steps
