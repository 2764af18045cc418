"""HC-RUNHOOK: when the hook is called, and with what."""

from __future__ import annotations

from typing import Any

from hosting import ChannelRequest

from ...drivers.turn import Turn
from ...targets.echo import Echo
from ..kit import Kit
from ..registry import rule
from ..watched_store import WatchedStore


@rule(
    "HC-RUNHOOK-001",
    needs=["hooks"],
    why="a hook that is called twice bills twice, one called early trusts anybody",
)
async def the_hook_is_called_once(k: Kit) -> None:
    """Once per turn, behind authentication, in front of session and target."""

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        k.log.add("hook.run", ascii(request.input)[:40])
        return request

    async with k.host(Echo(), options={"run_hook": run_hook}, state=WatchedStore(k.log)) as h:
        for stream in (False, True) if k.claim("streaming").runs else (False,):
            begin = len(k.log.events)
            await h.turn(k.nonce(), stream=stream)
            how = "a streamed turn" if stream else "a turn"
            kinds = [event.kind for event in k.log.events[begin:]]
            k.equal(f"calls of the hook for {how}", kinds.count("hook.run"), 1)
            k.equal(f"calls of the hook behind the run of {how}", _behind(kinds, "target.run", "hook.run"), 0)
            stored = [event.detail for event in k.log.events[begin:][: kinds.index("target.run")]]
            k.check(
                f"no session is stored before {how} runs",
                not any("sessions." in detail for detail in stored),
                observed=stored,
            )
        if k.claim("auth").runs:
            before = k.log.count("hook.run")
            for credential in h.driver.bad_credentials:
                await h.wire(h.inbound(Turn(text=k.nonce(), credential=credential)))
            k.equal("calls of the hook for refused credentials", k.log.count("hook.run") - before, 0)


def _behind(kinds: list[str], first: str, kind: str) -> int:
    return kinds[kinds.index(first) :].count(kind) if first in kinds else 0


class _Keywords:
    """Hooks of every signature; each sets its own text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.given: dict[str, Any] = {}

    def plain(self, request: ChannelRequest) -> ChannelRequest:
        return request.replace(input=self.text)

    async def asynchronous(self, request: ChannelRequest) -> ChannelRequest:
        return request.replace(input=self.text)

    def with_target(self, request: ChannelRequest, *, target: Any) -> ChannelRequest:
        self.given = {"target": target}
        return request.replace(input=self.text)

    async def with_payload(self, request: ChannelRequest, *, protocol_request: Any) -> ChannelRequest:
        self.given = {"protocol_request": protocol_request}
        return request.replace(input=self.text)

    def with_both(self, request: ChannelRequest, *, target: Any, protocol_request: Any) -> ChannelRequest:
        self.given = {"target": target, "protocol_request": protocol_request}
        return request.replace(input=self.text)


@rule("HC-RUNHOOK-002", needs=["hooks"], why="hooks are written by apps, in the form that suits them")
async def hooks_of_every_form_work(k: Kit) -> None:
    """Sync and async, with none, one or both of the keywords."""
    for form in ("plain", "asynchronous", "with_target", "with_payload", "with_both"):
        hooks = _Keywords(k.nonce())
        async with k.host(Echo(), options={"run_hook": getattr(hooks, form)}) as h:
            await h.turn(k.nonce())
            k.equal(f"the input that a hook set, {form}", [run.text for run in h.runs], [hooks.text])
            missing = [name for name, value in hooks.given.items() if value is None]
            k.equal(f"keywords without a value, {form}", missing, [])
