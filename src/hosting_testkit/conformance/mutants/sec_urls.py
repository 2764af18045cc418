"""Channels that go wherever they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from hosting import Caller, ChannelRequest, RequestError

from ..reference.fetching_rpc import FetchingRpcChannel, FetchingRpcDriver
from ..reference.url_guard import UrlGuard
from .model import mutant


class _Anywhere(UrlGuard):
    async def fetch(self, url: str) -> bytes:
        return (await self._client.get(url, follow_redirects=True)).content


class _AnywhereChannel(FetchingRpcChannel):
    guard_class = _Anywhere


@mutant("ssrf", kills={"HC-SEC-001": "another host: requests: FAILED"})
class Ssrf(FetchingRpcDriver):
    channel_class = _AnywhereChannel


class _Suffix(UrlGuard):
    def allows(self, host: str) -> bool:
        return any(host.endswith(listed) for listed in self._hosts)


class _SuffixChannel(FetchingRpcChannel):
    guard_class = _Suffix


@mutant("ssrf-suffix", kills={"HC-SEC-001": "a host that ends like a listed one: requests: FAILED"})
class SsrfSuffix(FetchingRpcDriver):
    channel_class = _SuffixChannel


class _FirstOnly(UrlGuard):
    async def fetch(self, url: str) -> bytes:
        return (await self._client.send(await self.request(url), follow_redirects=True)).content


class _FirstOnlyChannel(FetchingRpcChannel):
    guard_class = _FirstOnly


@mutant(
    "ssrf-redirect",
    defect="checks the first address and follows wherever it leads",
    kills={"HC-SEC-001": "requests after a redirect to another host: FAILED"},
)
class SsrfRedirect(FetchingRpcDriver):
    channel_class = _FirstOnlyChannel


class _ByName(UrlGuard):
    async def request(self, url: str) -> httpx.Request:
        return self._client.build_request("GET", self.checked(url))


class _ByNameChannel(FetchingRpcChannel):
    guard_class = _ByName


@mutant(
    "ssrf-rebound",
    defect="looks at the name and not at what it resolves to",
    kills={"HC-SEC-001": "a name that resolves to 10.0.0.1: requests: FAILED"},
)
class SsrfRebound(FetchingRpcDriver):
    channel_class = _ByNameChannel


class _RunsAnyway(FetchingRpcChannel):
    async def with_answers(
        self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller
    ) -> ChannelRequest:
        try:
            return await super().with_answers(turn, body, caller)
        except RequestError:
            return turn


@mutant(
    "ssrf-runs-anyway",
    defect="runs the turn without the file where its address is not allowed",
    kills={"HC-SEC-001": "runs of refused addresses: FAILED"},
)
class SsrfRunsAnyway(FetchingRpcDriver):
    channel_class = _RunsAnyway


class _Raises(UrlGuard):
    async def request(self, url: str) -> httpx.Request:
        try:
            return await super().request(url)
        except RequestError as error:
            raise PermissionError(url) from error


class _RaisesChannel(FetchingRpcChannel):
    guard_class = _Raises


@mutant(
    "ssrf-500",
    defect="fails where it should refuse an address",
    kills={"HC-SEC-001": "failures in the log: FAILED"},
)
class SsrfAs500(FetchingRpcDriver):
    channel_class = _RaisesChannel
