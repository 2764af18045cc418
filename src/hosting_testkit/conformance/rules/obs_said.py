"""HC-OBS: what turns leave in the log, on the terminal and in the probes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from ...drivers.turn import Inbound, Turn
from ...drivers.wire import Reply
from ...targets.agent import FakeAgent, Run, Updates
from ...targets.echo import Echo
from ..hosted import HostedChannel, ask_driver
from ..kit import Kit
from ..records import Said, everything_said
from ..registry import rule
from ..shown import logged_id, told
from ..spans import captured_spans

_READY = 200


class _Moody(FakeAgent):
    """Echoes; told to fail it fails without a word of what it was told."""

    async def answer(self, run: Run) -> Updates:
        if run.text.startswith("fail"):
            raise RuntimeError("the target fails")
        yield run.update(run.text)


@rule("HC-OBS-003", why="without a record nobody can help; with the text in it everybody reads along")
async def failures_are_recorded_and_contents_are_not(k: Kit) -> None:
    """One error record with the id that was told; no text, and no id of a person, in any record or span."""
    private = {"the text": k.nonce(), "the text of a failed turn": k.nonce()}
    user = "ann"
    if k.claim("identity").runs:
        user = private["a native id"] = k.nonce()
    with captured_spans() as kept, everything_said() as said:
        async with k.host(_Moody()) as h:
            whole = await h.turn(private["the text"], user=user)
            k.control(private["the text"] in whole.text, "a whole turn is answered", observed=whole.text)
            k.equal("error records of a whole turn", _errors(said), [])
            for stream in (False, True) if k.claim("streaming").runs else (False,):
                how = "streamed" if stream else "one-shot"
                before = len(_errors(said))
                failed = await h.turn(
                    f"fail {private['the text of a failed turn']}", user=user, stream=stream
                )
                _one_record(k, how, _errors(said)[before:], failed)
            words = len(said.lines)
            for inbound in _refused(k, h):
                await h.wire(inbound)
            refused = _holding(Turn().text, said.lines[words:])
            k.equal("log records that hold the text of what was refused or passed over", refused, [])
    k.control(bool(kept.spans), "there are spans")
    lines = [*said.lines, *k.logs]
    for name, text in private.items():
        k.equal(f"log records that hold {name}", _holding(text, lines), [])
        k.equal(f"spans that hold {name}", _holding(text, (span.text for span in kept.spans)), [])


def _refused(k: Kit, h: HostedChannel) -> list[Inbound]:
    """What the channel does not take as a turn; the text in it is that of `Turn()`."""
    refused = list(ask_driver(h.driver.wrong_fields, "wrong_fields()").values())
    if k.claim("events").runs:
        refused += ask_driver(h.driver.non_turns, "non_turns()").values()
    return refused


def _one_record(k: Kit, how: str, errors: Sequence[str], failed: Reply) -> None:
    k.check(f"{how}: error records of a failed turn", bool(errors), expected="one", observed=len(errors))
    found = logged_id(told(failed), errors)
    k.check(
        f"{how}: it holds the id that was told", found is not None, expected="the id", observed=told(failed)
    )


def _errors(said: Said) -> list[str]:
    return [
        line for record, line in zip(said.records, said.lines, strict=True) if record.levelno >= logging.ERROR
    ]


def _holding(text: str, lines: Iterable[str]) -> list[str]:
    return [line.replace(text, "<private>").splitlines()[0] for line in lines if text in line]


@rule("HC-OBS-004", why="output that always comes is output that nobody reads")
async def a_clean_run_is_quiet(k: Kit) -> None:
    """With an explicit access policy: no warning, nothing printed, nothing at warning level."""
    options = {"allowlist": None} if k.claim("identity").runs else {}
    with everything_said() as said:
        async with k.host(Echo(), options=options) as h:
            for stream in (False, True) if k.claim("streaming").runs else (False,):
                reply = await h.turn(text := k.nonce(), stream=stream)
                k.control(text in reply.text, "an ordinary turn is answered", observed=reply.text)
    k.equal("printed", said.printed, "")
    k.equal("warnings", said.warnings, [])
    loud = [
        line for record, line in zip(said.records, said.lines, strict=True) if record.levelno > logging.INFO
    ]
    k.equal("records at warning level and above", loud, [])


@rule("HC-OBS-005", why="a platform that is away must not have the service taken out of the load balancer")
async def readiness_does_not_flap(k: Kit) -> None:
    """The probe says ready while turns fail and the platform is away."""
    async with k.host(_Moody()) as h:
        k.control(await _readiness(h) == _READY, "after the start the host is ready")
        reply = await h.turn(text := k.nonce())
        k.control(text in reply.text, "an ordinary turn is answered", observed=reply.text)
        k.equal("readiness after a turn", await _readiness(h), _READY)
        await h.turn(f"fail {k.nonce()}")
        k.equal("readiness after a turn that failed", await _readiness(h), _READY)
        h.env.reachable = False
        async with h.open(h.inbound(Turn(text=k.nonce()))) as opened:
            await opened.shows(lambda reply: False, within=2)
            k.equal("readiness while the platform is away", await _readiness(h), _READY)
        h.env.reachable = True
        await h.turn(k.nonce())
        k.equal("readiness when the platform is back", await _readiness(h), _READY)


async def _readiness(h: HostedChannel) -> int:
    return (await h.request("GET", "/readiness")).status_code
