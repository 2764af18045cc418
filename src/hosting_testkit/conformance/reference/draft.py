"""A message that grows while its answer is being made (channels 0.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx

from hosting import PushRetryable, TimeSource

from .bot_api import BotApi, Refused

Mark = Callable[[Sequence[str]], Awaitable[None]]

INTERVAL = 1.0
"""Seconds between two changes of a message."""

PLACEHOLDER = "…"
"""Shown while the target works and has said nothing."""


class Draft:
    """One message under way. Steps in between may be lost; the end may not.

    Args:
        api: Sends.
        place: Where the message is.
        clock: For the pace.
        mark: Told before the message is sent, and of its id after that (contract 4.5).

    Attributes:
        interval: Seconds between two changes.
        id: The message's id, once it was sent.
        text: What people see.
        texts: All texts of the answer so far.
        complete: Set when nothing more will come.
        lost: A part of the answer was sent, and nobody knows whether it arrived; a second message might repeat it.
    """

    def __init__(
        self, api: BotApi, place: Mapping[str, Any], clock: TimeSource, mark: Mark | None = None
    ) -> None:
        self.interval = INTERVAL
        self.id: Any = None
        self.text = ""
        self.texts: Sequence[str] = ()
        self.complete = asyncio.Event()
        self.lost = False
        self._api = api
        self._place = dict(place)
        self._clock = clock
        self._mark = mark
        self._due = clock.monotonic()

    @property
    def empty(self) -> bool:
        """Nothing of the answer is seen yet."""
        return self.text in ("", PLACEHOLDER)

    async def show(self, text: str) -> None:
        """Shows `text`, unless the last change was a moment ago or the platform does not take it."""
        if self.lost or self._clock.monotonic() < self._due or text == self.text:
            return
        try:
            await self._put(text, {})
        except Refused as refused:
            self._due = self._clock.monotonic() + (refused.retry_after or self.interval)
        except (PushRetryable, httpx.HTTPError):
            self._due = self._clock.monotonic() + self.interval

    async def end(self, text: str, params: Mapping[str, Any]) -> str:
        """Shows `text` for good, in time; the message's id.

        Raises:
            Refused: The platform does not take it.
        """
        if text != self.text or params:
            await asyncio.sleep(max(0.0, self._due - self._clock.monotonic()))
            try:
                await self._put(text, params)
            except Refused as refused:
                await self._end_after(refused, text, params)
        return str(self.id)

    async def _end_after(self, refused: Refused, text: str, params: Mapping[str, Any]) -> None:
        if refused.code == "unknown_message":
            self.id = None  # somebody took it away
            await self._put(text, params)
        elif refused.code != "not_modified":  # an earlier process had shown it all
            raise refused

    async def remove(self) -> None:
        """Takes the message away, if there is one."""
        if self.id is not None:
            await self._api.call("deleteMessage", {"chat": self._place["chat"], "message": self.id})
            self.id = None

    async def _put(self, text: str, params: Mapping[str, Any]) -> None:
        self._due = self._clock.monotonic() + self.interval
        if self.id is None:
            await self._send(text, params)
        else:
            where = {"chat": self._place["chat"], "message": self.id, **params}
            await self._api.send_text(where, text, method="editMessage")
        self.text = text

    async def _send(self, text: str, params: Mapping[str, Any]) -> None:
        """The first sight of the message; a crash in here may leave one whose id nobody knows."""
        await self._tell([])
        try:
            self.id = (await self._api.send_text({**self._place, **params}, text))["id"]
        except httpx.HTTPError:
            self.lost = text != PLACEHOLDER
            raise
        except Refused as refused:
            self.lost = refused.status >= 500 and text != PLACEHOLDER
            raise
        await self._tell([str(self.id)])

    async def _tell(self, ids: Sequence[str]) -> None:
        if self._mark is not None:
            await self._mark(ids)
