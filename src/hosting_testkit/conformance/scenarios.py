"""Six standard scenarios, played on any channel through its driver, so that snapshots of channels can be compared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from ..clock import run_virtual
from ..drivers.turn import Turn
from ..drivers.wire import Out, Reply
from ..ids import SequentialIds
from ..targets.scripted import Scripted
from ..targets.steps import Delta, Fail, Reasoning, Replace, Step, Stop, ToolCall, ToolResult
from .kit import DriverFactory, Kit

_GATE = "in the middle"
_UNBOUNDED = 4096  # characters that overflow stands for where a channel has no limit


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario.

    Args:
        channel: The driver's name.
        scenario: One of `SCENARIOS`.
        events: What a client or a person saw, in order; data for `EventsSnapshotExtension`.
        body: The body of the response, as it was sent; data for `SseSnapshotExtension` where it is a stream.
    """

    channel: str
    scenario: str
    events: Sequence[Out]
    body: bytes


Play = Callable[[Kit], Awaitable[Reply]]


def play(factory: DriverFactory, scenario: str, *, variant: str = "") -> Played:
    """Plays one of `SCENARIOS` on the driver's channel, in a host in memory and virtual time; for plain functions.

    Args:
        factory: Makes the driver; its class, as a rule.
        scenario: Which.
        variant: The transport; the first that the driver supports if left out.

    Raises:
        KeyError: There is no such scenario.
    """
    driver = factory()
    chosen = SCENARIOS[scenario]
    kit = Kit(factory, variant or driver.capabilities.variants[0], seed=scenario)

    async def played() -> Reply:
        try:
            return await chosen(kit)
        finally:
            await kit.aclose()

    reply = run_virtual(played)
    return Played(driver.name, scenario, list(reply.outs), reply.wire.body)


def _script(*steps: Step) -> Play:
    async def played(kit: Kit) -> Reply:
        async with kit.host(Scripted(*steps), id_source=SequentialIds()) as h:
            return await h.turn(stream=kit.claim("streaming").runs)

    return played


async def _cancel(kit: Kit) -> Reply:
    """Cancelled by the channel's own operation where it has one, else by leaving."""
    target = Scripted("Half an ", Stop(_GATE), "answer.")
    async with kit.host(target, id_source=SequentialIds()) as h:
        turn = Turn(stream=kit.claim("streaming").runs)
        async with h.open(h.inbound(turn)) as opened:
            await target.gates.reached(_GATE)
            await h.rest()
            if kit.claim("cancel").runs:
                await h.wire(h.driver.cancel(turn, await opened.reply()))
                await opened.finished()
            return await opened.reply()


async def _overflow(kit: Kit) -> Reply:
    """A text of one and a half of what the platform takes, in words."""
    limit = int(kit.claim("text_limit").params.get("limit", _UNBOUNDED))
    words = [f"word{number} " for number in range(limit)]
    text = "".join(words)[: limit + limit // 2]
    return await _script(*[Delta(text[start : start + 512]) for start in range(0, len(text), 512)])(kit)


SCENARIOS: Mapping[str, Play] = {
    "happy-stream": _script("Hello, ", "world."),
    "tools-and-reasoning": _script(
        Reasoning("The weather is asked for."),
        ToolCall("weather", {"city": "Oslo"}),
        ToolResult("sunny"),
        "It is ",
        "sunny.",
    ),
    "replace-mode": _script("It is rai", Replace("It is sunny."), " Go out."),
    "mid-stream-error": _script("Half an ", Fail(RuntimeError("the model broke"))),
    "cancel": _cancel,
    "overflow-split": _overflow,
}
"""The scenarios of conformance-kit 4.13, by name."""
