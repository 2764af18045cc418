"""Posts events to a bot as platforms do: signed, again until they are acknowledged, with the faults of a plan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from ...faults.fault import Burst, Disconnect, Duplicate, Late, Reorder
from ...faults.run import FaultRun
from ...transports.asgi import ASGIApp, BridgeOptions
from ...transports.http import StreamingASGITransport
from ...transports.network import trusted_roots
from .gathering import Gathering, Mirror
from .redelivery import RedeliveryPolicy

if TYPE_CHECKING:
    from hosting.clock import TimeSource

T = TypeVar("T")

Headers = Callable[[bytes, int], Mapping[str, str]]
"""The headers of a body at its how many-th attempt."""


def bot_transport(bot: ASGIApp | httpx.AsyncBaseTransport | None) -> httpx.AsyncBaseTransport:
    """A transport to a bot; None is the network, without the proxies of the environment.

    In memory a bot is served as by a server: its errors are 500, and what it still does when it has answered, or when
    the platform has given up, goes on, for a minute at most.
    """
    if bot is None:
        return httpx.AsyncHTTPTransport(verify=trusted_roots())
    if isinstance(bot, httpx.AsyncBaseTransport):
        return bot
    options = BridgeOptions(raise_app_errors=False, await_app=False, grace=60.0)
    return StreamingASGITransport(bot, options)


@dataclass(frozen=True, slots=True)
class Event:
    """What is posted.

    Args:
        id: What redeliveries have in common.
        kind: What fault plans call it.
        body: The raw bytes.
    """

    id: str
    kind: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to the bot.

    Args:
        event: The event's id.
        number: The how many-th attempt, from 1; a duplicate counts anew.
        at: When it was sent, in epoch seconds.
        status: The status of the answer; None: there was none.
        body: The answer's body.
        error: Why there was no answer.
    """

    event: str
    number: int
    at: float
    status: int | None = None
    body: bytes = field(default=b"", repr=False)
    error: str = ""

    @property
    def acknowledged(self) -> bool:
        """True if the bot answered 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Deliverer:
    """Posts events and keeps a log.

    Args:
        http: The client that reaches the bot.
        policy: When an event is posted again.
        clock: The time of the log and of signatures.
        faults: What goes wrong on the way.
        log: Where to go on with a log.
        changed: Called after each attempt.

    Attributes:
        log: Every attempt, in the order in which they ended.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        policy: RedeliveryPolicy,
        clock: TimeSource,
        faults: FaultRun,
        log: list[Attempt] | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.log: list[Attempt] = [] if log is None else log
        self._http = http
        self._policy = policy
        self._clock = clock
        self._faults = faults
        self._changed = changed
        self._posts: set[asyncio.Task[Any]] = set()
        self._bursts: dict[Burst, Gathering] = {}
        self._mirrors: dict[Reorder, Mirror] = {}

    async def aclose(self) -> None:
        """Ends every request that was given up and that the bot still works on."""
        while self._posts:
            for post in self._posts:
                post.cancel()
            await asyncio.wait(self._posts, timeout=0)

    async def deliver(
        self, url: str, event: Event, headers: Headers, wanted: Callable[[], bool] = lambda: True
    ) -> bool:
        """Posts an event until it is acknowledged or given up.

        Args:
            url: Where to.
            event: The event.
            headers: See `Headers`.
            wanted: Asked before each attempt; false ends the delivery.

        Returns:
            True if it was acknowledged.
        """
        faults = self._faults.inbound(event.kind)
        breaks = [fault for fault in faults if isinstance(fault, Disconnect)]
        await self._hold(faults)
        copies = [fault for fault in faults if isinstance(fault, Duplicate)]
        gaps = [0.0] + [fault.gap * n for fault in copies for n in range(1, fault.times + 1)]
        async with asyncio.TaskGroup() as group:
            sent = [
                group.create_task(
                    self._copy(gap, url, event, headers, wanted, breaks if index == 0 else []),
                    name=f"event {event.id}",
                )
                for index, gap in enumerate(gaps)
            ]
        return any(task.result() for task in sent)

    async def attempt(
        self, url: str, event: Event, headers: Headers, number: int = 1, breaks: Disconnect | None = None
    ) -> Attempt:
        """Posts an event once."""
        at = self._clock.now()
        post = self._start(self._post(url, event, headers(event.body, number), breaks))
        try:
            await asyncio.wait({post}, timeout=self._policy.timeout)
        finally:
            post.cancel()  # the platform goes away; the bot may work on
        if not post.done():
            done = Attempt(event.id, number, at, error=f"no answer for {self._policy.timeout:g} s")
        elif isinstance(error := post.exception(), httpx.HTTPError | _Broken):
            done = Attempt(event.id, number, at, error=str(error) or type(error).__name__)
        else:
            done = Attempt(event.id, number, at, *post.result())
        self.log.append(done)
        self._changed()
        return done

    async def _hold(self, faults: list[Burst | Disconnect | Duplicate | Late | Reorder]) -> None:
        """Waits as long as the faults keep the event back."""
        for fault in faults:
            match fault:
                case Late():
                    await asyncio.sleep(fault.seconds)
                case Burst():
                    gathering = self._bursts.setdefault(fault, Gathering(fault.size, fault.patience))
                    await gathering.join()
                case Reorder():
                    mirror = self._mirrors.setdefault(fault, Mirror(fault.window))
                    await asyncio.sleep(mirror.wait(self._clock.monotonic()))
                case _:
                    pass

    async def _copy(
        self,
        gap: float,
        url: str,
        event: Event,
        headers: Headers,
        wanted: Callable[[], bool],
        breaks: list[Disconnect],
    ) -> bool:
        await asyncio.sleep(gap)
        number = 0
        while wanted() or gap:
            broken = breaks[number] if number < len(breaks) else None
            number += 1
            done = await self.attempt(url, event, headers, number, broken)
            if done.acknowledged:
                return True
            wait = self._policy.wait(number, done.status)
            if wait is None:
                return False
            await asyncio.sleep(wait)
        return False

    async def _post(
        self, url: str, event: Event, headers: Mapping[str, str], breaks: Disconnect | None
    ) -> tuple[int, bytes]:
        usual = {"content-type": "application/json", "content-length": str(len(event.body)), **headers}
        if breaks is None:
            answer = await self._http.post(url, content=event.body, headers=usual)
            return answer.status_code, answer.content
        if breaks.at == "mid-body":
            await self._http.post(url, content=_half(event.body), headers=usual)
        else:
            await self._leave_before_answer(url, event, usual)
        raise _Broken(f"the fault plan broke the connection: {breaks.at}")

    async def _leave_before_answer(self, url: str, event: Event, headers: Mapping[str, str]) -> None:
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        post = self._start(self._http.post(url, content=_telling(event.body, sent), headers=headers))
        try:
            await asyncio.wait({post, sent}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            post.cancel()

    def _start(self, post: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(post, name="post to the bot")
        self._posts.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._posts.discard(task)
        if not task.cancelled():
            task.exception()  # read here, for nobody waits for a request that was given up


class _Broken(Exception):
    """The platform's connection broke, as its fault plan said."""


async def _half(body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    raise _Broken("the fault plan broke the connection: mid-body")


async def _telling(body: bytes, sent: asyncio.Future[None]) -> AsyncIterator[bytes]:
    yield body
    if not sent.done():
        sent.set_result(None)
