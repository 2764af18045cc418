"""A sender of signed webhooks: any service that posts events and wants them acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx
import msgspec

from ..faults.plan import FaultPlan
from ..faults.run import FaultRun
from ..transports.asgi import ASGIApp
from .parts.clocks import default_clock
from .parts.deliveries import Attempt, Deliverer, Event, bot_transport
from .parts.redelivery import RedeliveryPolicy
from .parts.signing import SignatureScheme

if TYPE_CHECKING:
    from hosting.clock import TimeSource

Forge = Callable[[dict[str, str]], Mapping[str, str]]
"""Makes other headers of the right ones."""


class WebhookSender:
    """`async with WebhookSender("https://bot.example/events", secret=..., bot=app) as sender: await sender.send({...})`.

    Args:
        url: Where events are posted.
        secret: What they are signed with.
        bot: An ASGI app or a transport that stands behind the URL; None: the network.
        signature: How they are signed.
        policy: When they are posted again.
        id_header: The header of the event's id, the same at each attempt; None: there is none.
        attempt_header: The header of the attempt's number, sent from the second one on; None: there is none.
        faults: What goes wrong; kinds are the events' `type`.
        clock: The time; the running virtual loop's own by default, else the machine's.

    Attributes:
        faults: The plan of what goes wrong.
        fault_run: What of it happened.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str,
        bot: ASGIApp | httpx.AsyncBaseTransport | None = None,
        signature: SignatureScheme | None = None,
        policy: RedeliveryPolicy | None = None,
        id_header: str | None = "x-event-id",
        attempt_header: str | None = "x-attempt",
        faults: FaultPlan | None = None,
        clock: TimeSource | None = None,
    ) -> None:
        self.faults = FaultPlan() if faults is None else faults
        self.fault_run = FaultRun(self.faults)
        self._url = url
        self._secret = secret
        self._signature = signature or SignatureScheme()
        self._policy = policy or RedeliveryPolicy()
        self._id_header = id_header
        self._attempt_header = attempt_header
        self._clock = clock or default_clock()
        self._http = httpx.AsyncClient(transport=bot_transport(bot), timeout=None)
        self._deliverer = Deliverer(self._http, self._policy, self._clock, self.fault_run)
        self._ids = itertools.count(1)
        self._posting: set[asyncio.Task[bool]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._posting:
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)
        await self._deliverer.aclose()
        await self._http.aclose()

    @property
    def log(self) -> list[Attempt]:
        """Every request, in the order in which they ended."""
        return self._deliverer.log

    async def send(
        self, event: Mapping[str, Any] | bytes, *, id: str | None = None, forge: Forge | None = None
    ) -> bool:
        """Posts an event until it is acknowledged or given up.

        Args:
            event: Its JSON, or its raw bytes.
            id: Its id; a fresh one by default.
            forge: Makes other headers of the right ones, such as a wrong signature.

        Returns:
            True if it was acknowledged.
        """
        made = self._event(event, id)
        return await self._deliverer.deliver(self._url, made, self._headers(made, forge))

    async def attempt(
        self, event: Mapping[str, Any] | bytes, *, id: str | None = None, forge: Forge | None = None
    ) -> Attempt:
        """Posts an event once, without faults."""
        made = self._event(event, id)
        return await self._deliverer.attempt(self._url, made, self._headers(made, forge))

    def post(self, event: Mapping[str, Any] | bytes, *, id: str | None = None) -> asyncio.Task[bool]:
        """`send` in the background, ended by the end of the block."""
        task = asyncio.create_task(self.send(event, id=id))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)
        return task

    async def verify_url(self) -> bool:
        """The handshake: posts a challenge; true if the answer is 2xx and gives it back, as JSON or as text."""
        challenge = secrets.token_urlsafe(24)
        done = await self.attempt({"type": "url_verification", "challenge": challenge})
        if not done.acknowledged:
            return False
        try:
            answer = msgspec.json.decode(done.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return done.body.strip() == challenge.encode()
        return answer == challenge or answer == {"challenge": challenge}

    def _event(self, event: Mapping[str, Any] | bytes, id: str | None) -> Event:
        id = id or f"evt_{next(self._ids)}"
        if isinstance(event, bytes):
            return Event(id, "raw", event)
        return Event(id, str(event.get("type", "event")), msgspec.json.encode(dict(event)))

    def _headers(self, event: Event, forge: Forge | None) -> Callable[[bytes, int], Mapping[str, str]]:
        def headers(body: bytes, attempt: int) -> Mapping[str, str]:
            made = self._signature.headers(body, self._secret, self._clock.now())
            if self._id_header:
                made[self._id_header] = event.id
            if self._attempt_header and attempt > 1:
                made[self._attempt_header] = str(attempt)
            return forge(made) if forge else made

        return headers
