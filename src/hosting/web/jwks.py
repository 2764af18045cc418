"""An identity provider's public keys, cached (RFC 7517)."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import NotReady

if TYPE_CHECKING:
    from jwt import PyJWK

    from ..clock import TimeSource

JwksFetch = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Gets the JSON document at an address; raises unless the answer was a success."""

_logger = logging.getLogger(__name__)


class KeySet:
    """The signing keys at one address.

    A key set is used for `ttl` seconds and then fetched again. An unknown key id fetches it at once, as providers
    rotate, but at most once per `cooldown`, as anybody can make up key ids. Requests that wait share one fetch and
    its outcome. Where it fails, old keys are used to the end of their time and no longer.
    """

    def __init__(
        self, url: str, fetch: JwksFetch, clock: TimeSource, *, ttl: float = 600.0, cooldown: float = 30.0
    ) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._ttl = ttl
        self._cooldown = cooldown
        self._lock = asyncio.Lock()
        self._keys: Mapping[str | None, PyJWK] = {}
        self._fresh_until = -math.inf
        self._refresh_from = -math.inf
        self._fetches = 0

    async def find(self, key_id: str | None) -> PyJWK | None:
        """The key that a token names, or None; a token without a key id is served where there is one key.

        Raises:
            NotReady: The keys are needed and cannot be had.
        """
        now = self._clock.monotonic()
        if now >= self._fresh_until:
            await self._load()
        elif self._look_up(key_id) is None and now >= self._refresh_from:
            self._refresh_from = now + self._cooldown
            await self._load()
        return self._look_up(key_id)

    def _look_up(self, key_id: str | None) -> PyJWK | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def _load(self) -> None:
        seen = self._fetches
        async with self._lock:
            if self._fetches == seen:
                await self._fetch_keys()
        if self._clock.monotonic() >= self._fresh_until:
            raise NotReady("The identity provider's keys cannot be had; try again later.", retry_after=5.0)

    async def _fetch_keys(self) -> None:
        try:
            self._keys = _signing_keys(await self._fetch(self._url))
            self._fresh_until = self._clock.monotonic() + self._ttl
        except Exception:
            _logger.exception("The key set of the identity provider could not be read.")
        self._fetches += 1


def _signing_keys(document: Mapping[str, Any]) -> dict[str | None, PyJWK]:
    from jwt import PyJWKSet

    usable = PyJWKSet.from_dict(dict(document)).keys
    return {key.key_id: key for key in usable if key.public_key_use in (None, "sig")}
