"""Fetches addresses that strangers wrote (contract 17.3)."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Collection, Sequence

import httpx

from hosting import RequestError

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the addresses of a name."""

_MOST_REDIRECTS = 3


class UrlGuard:
    """Fetches over https, from listed hosts, at public addresses; each redirect is checked like the first address.

    Args:
        client: Sends; follows no redirects by itself.
        hosts: The hosts allowed, whole names in lower case.
        resolve: Looks names up. The connection goes to the address that was checked, not to the name.
    """

    def __init__(self, client: httpx.AsyncClient, hosts: Collection[str], resolve: Resolver) -> None:
        self._client = client
        self._hosts = frozenset(hosts)
        self._resolve = resolve

    async def fetch(self, url: str) -> bytes:
        """What lies there.

        Raises:
            RequestError: The address, or one that it leads to, is not allowed, or there is nothing.
        """
        for _ in range(_MOST_REDIRECTS):
            answer = await self._client.send(await self.request(url), follow_redirects=False)
            if not answer.has_redirect_location:
                if answer.status_code >= 400:
                    raise RequestError("There is nothing at this address.", param="fetch")
                return answer.content
            url = str(httpx.URL(url).join(answer.headers["location"]))
        raise RequestError("This address leads in circles.", param="fetch")

    async def request(self, url: str) -> httpx.Request:
        """The request to a checked address of the host."""
        target = self.checked(url)
        addresses = await self._resolve(target.host)
        if not addresses or not all(ipaddress.ip_address(address).is_global for address in addresses):
            raise RequestError("This address is not allowed.", param="fetch")
        return self._client.build_request(
            "GET",
            target.copy_with(host=addresses[0]),
            headers={"host": target.host},
            extensions={"sni_hostname": target.host},
        )

    def checked(self, url: str) -> httpx.URL:
        """The address, if its scheme and host are allowed."""
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            raise RequestError("This is no address.", param="fetch") from None
        plain = target.scheme == "https" and not target.userinfo and target.port is None
        if not plain or not self.allows(target.host):
            raise RequestError("This address is not allowed.", param="fetch")
        return target

    def allows(self, host: str) -> bool:
        """Whether a host is listed."""
        return host in self._hosts
