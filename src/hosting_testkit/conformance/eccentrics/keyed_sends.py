"""A bot whose platform honours idempotency keys: it may repeat a send whose answer was lost (contract 4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import httpx

from hosting import Destination, HostedRunResult, PushContext, PushReceipt, PushRetryable

from ...drivers import Env
from ...transports.asgi import ASGIApp, Message, Receive, Scope, Send
from ..reference import BotChannel, BotDriver
from .model import eccentric

_HEADER = "x-idempotency-key"

_key: ContextVar[str] = ContextVar("hosting_testkit_key", default="")


class _Repeatable(BotChannel):
    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        try:
            receipt = await self._keyed(destination, payload, context)
        except httpx.HTTPError as error:
            raise PushRetryable from error
        if receipt.status == "unknown":
            raise PushRetryable
        return receipt

    async def _keyed(
        self, destination: Destination, payload: HostedRunResult[Any], context: PushContext
    ) -> PushReceipt:
        before = _key.set(f"{context.delivery_id}/0")
        try:
            return await super().push(destination, payload, context=context)
        finally:
            _key.reset(before)

    async def send(self, destination: Destination, method: str, params: Mapping[str, Any]) -> str:
        """Each message has a key of its own, the same whenever it is sent again."""
        sent = await super().send(destination, method, params)
        delivery, _, number = _key.get().rpartition("/")
        _key.set(f"{delivery}/{int(number) + 1}")
        return sent


async def _add_key(request: httpx.Request) -> None:
    if _key.get():
        request.headers[_HEADER] = _key.get()


class _Honouring:
    """Answers a key that it has seen as it did the first time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answers: dict[str, list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = dict(scope["headers"]).get(_HEADER.encode(), b"").decode()
        if key and key in self._answers:
            for message in self._answers[key]:
                await send(message)
            return
        sent: list[Message] = []

        async def kept(message: Message) -> None:
            sent.append(message)
            await send(message)

        await self._app(scope, receive, kept)
        if key and sent[0]["status"] < 300:
            self._answers[key] = sent


@eccentric("keyed-sends", "repeats sends whose answer was lost, under a key that its platform honours")
class KeyedSends(BotDriver):
    channel_class = _Repeatable

    def make(self, env: Env) -> Any:
        channel = super().make(env)
        env.clients[-1].event_hooks = {"request": [_add_key]}
        return channel

    def platform(self) -> ASGIApp:
        return _Honouring(super().platform())
