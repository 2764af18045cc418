"""A chat platform with a typical bot API: stateful, refusing, spoken to over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx
import msgspec

from ...faults.app import FaultyApp
from ...faults.client import FaultTransport
from ...faults.plan import FaultPlan
from ...faults.run import FaultRun
from ...transports.asgi import ASGIApp
from ...transports.http import StreamingASGITransport
from ...transports.wakeup import Wakeup
from ..parts.behaviours import Behaviour, Behaviours
from ..parts.clocks import default_clock
from ..parts.deliveries import Attempt, Deliverer, Event, bot_transport
from ..parts.rate_limit import RateLimiter
from ..parts.redelivery import RedeliveryPolicy
from ..parts.signing import SignatureScheme
from ..parts.updates import Update, UpdateQueue
from .app import BotApi, Call, render_reply
from .behaviours import BEHAVIOURS
from .bot_methods import update_json
from .chats import Chat, Person
from .core import BotCore, Command, Sight, Webhook
from .limits import BotLimits
from .people import Group, Somebody
from .standstill import standstill

if TYPE_CHECKING:
    from hosting.clock import TimeSource

TOKEN = "1001:a-token-of-the-made-up-platform"
URL = "https://bots.example"
"""Where `BotPlatform.client` and `transport` take the platform to be."""


class BotPlatform:
    """`async with BotPlatform() as sim: sim.person("ann").says("hi")`; the bot calls `sim.app` at `/bot/METHOD`.

    The block owns the posting of updates; a bot that polls needs none of it.

    Args:
        bot: What stands behind every webhook URL: an ASGI app or a transport; None: the network. See also `reach`.
        token: The bot's token.
        name: The bot's name.
        limits: What the platform takes.
        policy: How updates are posted again.
        signature: How posted updates are signed.
        sight: What the bot is told of.
        faults: What goes wrong; more can be added to `faults` at any time.
        clock: The time; the running virtual loop's own by default, else the machine's.
        lenient: Ids of refusals that do not happen: a platform that is wrong on purpose, for tests of tests.

    Attributes:
        api: The bot API as an ASGI app, without faults.
        app: The same with the faults, for a server on a socket or a transport of your own.
        bot: The bot's account.
        calls: Every call of the bot, in the order in which they were answered.
        faults: The plan of what goes wrong.
        fault_run: What of it happened.
        token: The bot's token.
    """

    def __init__(
        self,
        *,
        bot: ASGIApp | httpx.AsyncBaseTransport | None = None,
        token: str = TOKEN,
        name: str = "helper",
        limits: BotLimits | None = None,
        policy: RedeliveryPolicy | None = None,
        signature: SignatureScheme | None = None,
        sight: Sight | None = None,
        faults: FaultPlan | None = None,
        clock: TimeSource | None = None,
        lenient: Collection[str] = (),
    ) -> None:
        clock = clock or default_clock()
        limits = limits or BotLimits()
        self.token = token
        self.bot = Person("u_bot", name, bot=True)
        self.calls: list[Call] = []
        self.faults = FaultPlan() if faults is None else faults
        self.fault_run = FaultRun(self.faults)
        self._core = BotCore(
            self.bot,
            clock,
            limits,
            Behaviours(BEHAVIOURS, lenient),
            RateLimiter(clock),
            UpdateQueue(clock, keep=limits.keep),
            sight or Sight(),
        )
        self._core.chats.people[name] = self.bot
        self._signature = signature or SignatureScheme()
        self._policy = policy or RedeliveryPolicy()
        self._wakeup = Wakeup()
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._open = False
        self.api: ASGIApp = BotApi(self._core, token, self.calls, self._changed).app
        self.app: ASGIApp = FaultyApp(self.api, self.fault_run, render=render_reply)
        self.reach(bot)

    @property
    def http(self) -> httpx.AsyncClient:
        """What the platform itself posts updates with; leaving the block closes it."""
        return self._http

    async def __aenter__(self) -> Self:
        self._open = True
        self._changed()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        sending = list(self._sending.values())
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        await self._deliverer.aclose()
        await self._http.aclose()

    def reach(self, bot: ASGIApp | httpx.AsyncBaseTransport | None) -> None:
        """Puts a bot behind every webhook URL: an ASGI app, a transport, or None for the network."""
        self._http = httpx.AsyncClient(transport=bot_transport(bot), timeout=None)
        log = self.deliveries if hasattr(self, "_deliverer") else []
        self._deliverer = Deliverer(
            self._http, self._policy, self._core.clock, self.fault_run, log, self._wakeup.notify
        )

    def transport(self) -> httpx.AsyncBaseTransport:
        """A transport of httpx to the platform, with the faults as a client meets them: use it for the bot's client."""
        return FaultTransport(StreamingASGITransport(self.api), self.fault_run, render=render_reply)

    def client(self, *, timeout: float = 60.0) -> httpx.AsyncClient:
        """A client of the bot API with the bot's token: `await client.post("/bot/getMe")`; `timeout` in seconds."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=URL, transport=self.transport(), headers=headers, timeout=timeout)

    # People and what they see.

    def person(self, name: str, *, bot: bool = False) -> Somebody:
        """The person of that name, made on first use; `bot` makes another bot."""
        return Somebody(self._core, self._core.chats.person(name, bot=bot), self._changed)

    def group(
        self, title: str, members: Sequence[str] = (), *, admins: Sequence[str] = (), bot: bool = True
    ) -> Group:
        """The group of that title, made on first use (with the bot, unless told otherwise), and these people added."""
        new = self._core.chats.find(f"g_{title}") is None
        people = [self._core.chats.person(name) for name in (*members, *admins)]
        group = Group(self._core, self._core.chats.group(title, people), self._changed)
        group.admits(*admins)
        if bot and new:
            group.chat.members[self.bot.id] = self.bot
        return group

    def chat(self, which: str | Somebody | Group) -> Chat:
        """What people see in a chat: by id, by a person's name, by a group's title, or by either itself.

        Raises:
            KeyError: There is no such chat.
        """
        if not isinstance(which, str):
            return which.chat
        for id in (which, f"c_{which}", f"g_{which}"):
            if found := self._core.chats.find(id):
                return found
        raise KeyError(f"found no chat {which!r}, expected one of {sorted(self._core.chats.all)}")

    def typing(self, which: str | Somebody | Group) -> bool:
        """True if people see now that the bot is typing."""
        since = self._core.clock.now() - self._core.limits.typing
        return any(sign.at > since for sign in self.chat(which).typing)

    # The bot's side, and the platform itself.

    @property
    def commands(self) -> tuple[Command, ...]:
        """The bot's command menu."""
        return self._core.commands

    @property
    def webhook(self) -> Webhook | None:
        """Where updates are posted."""
        return self._core.webhook

    @property
    def pending(self) -> list[Update]:
        """Updates that the bot has not confirmed or acknowledged."""
        return self._core.updates.pending

    @property
    def deliveries(self) -> list[Attempt]:
        """Every request to the webhook, in the order in which they ended."""
        return self._deliverer.log

    @property
    def provoked(self) -> dict[str, int]:
        """How often each refusal happened, by its code."""
        return dict(self._core.behaviours.provoked)

    def behaviours(self) -> list[Behaviour]:
        """What the platform does and refuses, with where we know it from."""
        return list(self._core.behaviours)

    async def until(self, condition: Callable[[], object], *, within: float = 600.0) -> None:
        """Waits until `condition()` is true; it is looked at after each change of the platform.

        Raises:
            TimeoutError: It is false after so many seconds, virtual ones under `@virtual_time`; the text tells what
                the bot did.
        """
        try:
            async with asyncio.timeout(within):
                await self._wakeup.until(condition)
        except TimeoutError as over:
            raise TimeoutError(standstill(within, self.calls, len(self.pending))) from over

    async def idle(self) -> None:
        """Waits until no update is being posted: each was acknowledged or given up."""
        await self._wakeup.until(lambda: not self._sending)

    def _changed(self) -> None:
        webhook = self._core.webhook
        if webhook and self._open:
            for update in self._core.updates.pending:
                if update.id not in self._sending:
                    send = self._send(webhook, update)
                    self._sending[update.id] = asyncio.create_task(send, name=f"update {update.id}")
        self._wakeup.notify()

    async def _send(self, webhook: Webhook, update: Update) -> None:
        event = Event(str(update.id), update.kind, msgspec.json.encode(update_json(update)))
        try:
            acknowledged = await self._deliverer.deliver(
                webhook.url,
                event,
                lambda body, _: self._signature.headers(body, webhook.secret, self._core.clock.now()),
                lambda: self._core.webhook is webhook,
            )
            if acknowledged or self._core.webhook is webhook:
                self._core.updates.remove(update)
        finally:
            del self._sending[update.id]
            self._changed()
