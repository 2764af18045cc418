"""Odd but legal channels must pass (conformance-kit 6.3)."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from agent_framework import Message
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request

from hosting import ChannelContext, ChannelContribution, HostedStreamResult, NotAuthenticated
from hosting.web import JsonAnswer
from hosting_testkit.conformance import check_channel
from hosting_testkit.conformance.reference import BotChannel, BotDriver, RpcChannel, RpcDriver
from hosting_testkit.drivers import ChannelDriver


@dataclass(frozen=True, slots=True)
class FrozenChannel:
    """Immutable, slotted, with nothing of its own but a mutable cell for the context."""

    auth: Any
    name: str = "rpc"
    path: str = "/rpc"
    run_hook: Any = None
    response_hook: Any = None
    stream_update_hook: Any = None
    inner: list[RpcChannel] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inner.append(RpcChannel(auth=self.auth, name=self.name, path=self.path))

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        return self.inner[0].contribute(context)


class LargeFrames(RpcChannel):
    """Puts several events into one frame, with comments between, and ends its lines with CRLF."""

    async def frames(self, stream: HostedStreamResult) -> Any:
        async with aclosing(super().frames(stream)) as frames:
            async for frame in frames:
                yield (b": hello\n\n" + frame).replace(b"\n", b"\r\n")


class Accepting(BotChannel):
    """Answers 202, and 403 in place of 401."""

    async def receive(self, request: Request) -> Any:
        try:
            answer = await super().receive(request)
        except NotAuthenticated:
            return JsonAnswer(b"{}", status=403)
        return JsonAnswer(answer.body, status=202)


class Compressed(RpcChannel):
    """Adds gzip, and fields that nobody asked for."""

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        return ChannelContribution(
            routes=inside.routes, middleware=[Middleware(GZipMiddleware, minimum_size=1)]
        )

    def render(self, result: Any, items: Any) -> dict[str, Any]:
        return {"extra": {"n": 1}, **super().render(result, items)}


class Messages(RpcChannel):
    """Gives the target messages rather than text."""

    def input(self, body: Any) -> Any:
        return [Message("user", [super().input(body)])]


@pytest.mark.parametrize(
    ("base", "channel"),
    [
        (RpcDriver, FrozenChannel),
        (RpcDriver, LargeFrames),
        (RpcDriver, Compressed),
        (RpcDriver, Messages),
        (BotDriver, Accepting),
    ],
    ids=lambda value: value.__name__,
)
def test_an_eccentric_but_legal_channel_passes(base: type[ChannelDriver], channel: Any) -> None:
    check_channel(type("Eccentric", (base,), {"channel_class": channel})).raise_for_failures()
