"""HC-RUNHOOK: hooks that refuse, and hooks that are wrong."""

from __future__ import annotations

import asyncio
from typing import Any

from hosting import ChannelRequest, HookRejected

from ...drivers.turn import Turn
from ...targets.counting import Counting
from ..hosted import HostedChannel
from ..kit import Kit
from ..many import MANY, times
from ..registry import rule
from ..shown import seen, told


@rule("HC-RUNHOOK-004", needs=["hooks"], why="people must learn why they are refused, and nothing else")
async def a_raising_hook_refuses(k: Kit) -> None:
    """A refusal says its message, any other error nothing; no run, no session, and the next turn works."""
    public, secret = k.nonce(), k.nonce()
    errors = {
        "HookRejected": (HookRejected(public), 422, public),
        "ValueError": (ValueError(f"canary {secret}"), 422, ""),
        "another error": (LookupError(f"canary {secret}"), 500, ""),
    }
    for name, (error, status, message) in errors.items():
        hook = _RaisesOnce(error)
        async with k.host(Counting(), options={"run_hook": hook}) as h:
            reply = await h.turn(k.nonce())
            k.equal(f"{name}: runs", len(h.runs), 0)
            if not k.claim("messaging").runs:
                k.equal(f"{name}: status", reply.status, status)
            k.check(f"{name}: something is told", bool(told(reply)), observed=reply.wire)
            k.check(f"{name}: the public message is told", message in told(reply), observed=told(reply))
            k.check(
                f"{name}: its text stays inside", secret not in seen(reply.wire), observed=seen(reply.wire)
            )
            k.equal(f"{name}: the next turn", (await h.turn(k.nonce())).text, "turn 1")
    for stream in (False, True) if k.claim("streaming").runs else (False,):
        await _refused_often(k, stream)


async def _refused_often(k: Kit, stream: bool) -> None:
    """What a refused turn keeps a little of, such as one slot of many, is kept until there is none."""
    hook = _Refuses()
    async with k.host(Counting(), options={"run_hook": hook}) as h:

        async def refused(number: int) -> bool:
            await _brief(h, Turn(text="no", conversation=f"refused{number}", stream=stream))
            return hook.refused > number

        how = "streamed turns" if stream else "turns"
        k.equal(
            f"{how} that come to the hook, of {MANY} in a row that it refuses", await times(refused), MANY
        )


async def _brief(h: HostedChannel, turn: Turn) -> None:
    """A turn of which nobody wants to know more than that it is over."""
    async with h.open(h.inbound(turn)) as opened:
        await opened.finished()
        await asyncio.sleep(0.1)


class _Refuses:
    refused = 0

    def __call__(self, request: ChannelRequest) -> ChannelRequest:
        self.refused += 1
        raise HookRejected("no")


class _RaisesOnce:
    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error

    def __call__(self, request: ChannelRequest) -> ChannelRequest:
        error, self.error = self.error, None
        if error is not None:
            raise error
        return request


@rule(
    "HC-RUNHOOK-005",
    needs=["hooks"],
    why="a hook that forgets its return statement must not switch itself off",
)
async def a_hook_that_returns_nothing_is_an_error(k: Kit) -> None:
    """`None`, or anything else that is no request, runs nothing, and the log says what was expected."""
    wrong: dict[str, Any] = {"None": None, "a dictionary": {"input": "x"}}
    for name, value in wrong.items():
        hook = _ReturnsOnce(value)
        k.logs.clear()
        async with k.host(Counting(), options={"run_hook": hook}) as h:
            reply = await h.turn(k.nonce())
            k.equal(f"runs after a hook returned {name}", len(h.runs), 0)
            k.check(f"something is told after {name}", bool(told(reply)), observed=reply.wire)
            log = "\n".join(k.logs)
            k.check(
                f"the log names what was expected in place of {name}",
                "ChannelRequest" in log,
                expected="ChannelRequest",
                observed=log[-300:],
            )
            k.equal(f"the next turn after {name}", (await h.turn(k.nonce())).text, "turn 1")


class _ReturnsOnce:
    def __init__(self, value: Any) -> None:
        self.value = value
        self.returned = False

    def __call__(self, request: ChannelRequest) -> Any:
        if self.returned:
            return request
        self.returned = True
        return self.value
