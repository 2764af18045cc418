"""The RPC channel that fetches a file whose address comes with a request: `{"input": "…", "fetch": "https://…"}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import httpx
from agent_framework import Content, Message

from hosting import Caller, Channel, ChannelContext, ChannelContribution, ChannelRequest
from hosting.web import BearerTokens

from ...drivers import SUPPORTED, Env, Inbound, Turn, json_body
from .rpc import RpcChannel
from .rpc_body import typed
from .rpc_driver import RpcDriver
from .url_guard import Resolver, UrlGuard

FILES = "files.example"


class FetchingRpcChannel(RpcChannel):
    """The reference for channels that fetch. Further options as for `RpcChannel`.

    Args:
        http: Fetches; the channel makes its own client, and closes that one, if none is given.
        hosts: From where files may be fetched.
        resolve: Looks names up.
    """

    guard_class: ClassVar[type[UrlGuard]] = UrlGuard

    def __init__(
        self, *, http: httpx.AsyncClient | None, hosts: Sequence[str], resolve: Resolver, **options: Any
    ) -> None:
        super().__init__(**options)
        self.given, self.hosts, self.resolve = http, hosts, resolve

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """As `RpcChannel`, with the client's life."""
        inside = super().contribute(context)
        return replace(inside, on_startup=[self.start], on_shutdown=[self.stop])

    async def start(self) -> None:
        """Gets the client ready."""
        self.client = self.given or httpx.AsyncClient(trust_env=False)
        self.guard = self.guard_class(self.client, self.hosts, self.resolve)

    async def stop(self) -> None:
        """Closes the client, if it is the channel's own."""
        if self.given is None:
            await self.client.aclose()

    async def with_answers(
        self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller
    ) -> ChannelRequest:
        """The turn with the file that it names."""
        request = await super().with_answers(turn, body, caller)
        url = typed(body, "fetch", str, "")
        if not url:
            return request
        file = Content.from_data(await self.guard.fetch(url), "application/octet-stream")
        return request.replace(input=[Message("user", [str(request.input), file])])


class FetchingRpcDriver(RpcDriver):
    """Speaks `FetchingRpcChannel`'s protocol."""

    name = "fetching"
    capabilities = RpcDriver.capabilities.but(outbound_urls=SUPPORTED(host=FILES))
    channel_class: ClassVar[type[RpcChannel]] = FetchingRpcChannel

    def make(self, env: Env) -> Channel:
        auth = BearerTokens({env.secret(user): user for user in ("ann", "bob")})
        return self.channel_class(auth=auth, **self.outside(env), **env.options)

    def unconfigured(self, env: Env) -> Channel:
        return self.channel_class(**self.outside(env), **env.options)

    def opened(self, env: Env) -> Channel:
        return self.channel_class(auth=None, **self.outside(env), **env.options)

    def outside(self, env: Env) -> Mapping[str, Any]:
        """What it fetches with."""
        return {"http": env.outbound(f"https://{FILES}"), "hosts": [FILES], "resolve": env.resolve}

    def fetching(self, turn: Turn, url: str) -> Inbound:
        return self.post(json_body({**self.payload(turn), "fetch": url}))
