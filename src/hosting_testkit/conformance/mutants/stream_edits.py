"""Channels that edit too often, too late, in vain or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hosting import Destination, PushRetryable

from ..reference.bot_api import Refused
from ..reference.bot_message import place_of
from ..reference.draft import Draft
from ..reference.edit_bot import EditBotChannel
from .model import mutant


class _OwnDraft(EditBotChannel):
    draft: type[Draft]

    def new_draft(self, place: Destination) -> Draft:
        return self.draft(self.api, place_of(place), self.context.time_source)


class _Eager(Draft):
    async def show(self, text: str) -> None:
        self._due = 0.0
        await super().show(text)


@mutant("edit-flood", kills={"HC-STREAM-015": "the time between two versions of a message: FAILED"})
class EditFlood(_OwnDraft):
    draft = _Eager


class _EndsInTime(Draft):
    async def end(self, text: str, params: Mapping[str, Any]) -> str:
        if self._clock.monotonic() >= self._due:
            return await super().end(text, params)
        return str(self.id)


@mutant("lost-last-edit", kills={"HC-STREAM-015": "what is visible in the end: FAILED"})
class LostLastEdit(_OwnDraft):
    draft = _EndsInTime


class _Repeats(Draft):
    async def show(self, text: str) -> None:
        before, self.text = self.text, ""
        await super().show(text)
        self.text = self.text or before


@mutant("noop-edit", kills={"HC-STREAM-016": "edits in vain: FAILED"})
class NoopEdit(_OwnDraft):
    draft = _Repeats


class _Stays(Draft):
    async def remove(self) -> None:
        return


@mutant(
    "orphan-placeholder",
    kills={"HC-STREAM-016": "a failure: what was shown while waiting and is still there: FAILED"},
)
class OrphanPlaceholder(_OwnDraft):
    draft = _Stays


class _EndsOnce(Draft):
    async def end(self, text: str, params: Mapping[str, Any]) -> str:
        with suppress(PushRetryable):
            return await super().end(text, params)
        return str(self.id)


@mutant(
    "ends-once",
    defect="tries the last edit once",
    kills={"HC-STREAM-015": "the last piece comes after a failed edit: FAILED"},
)
class EndsOnce(_OwnDraft):
    draft = _EndsOnce


class _Deaf(Draft):
    async def _put(self, text: str, params: Mapping[str, Any]) -> None:
        try:
            await super()._put(text, params)
        except Refused as refused:
            refused.retry_after = None
            raise


@mutant(
    "deaf-to-429",
    defect="edits on at its own pace when the platform asks it to wait",
    kills={"HC-STREAM-015": "waits after a 429 that were shorter than its retry-after of 7 s: FAILED"},
)
class DeafTo429(_OwnDraft):
    draft = _Deaf


class _Hasty(Draft):
    _showing: asyncio.Task[None] | None = None

    async def show(self, text: str) -> None:
        if self._showing is None or self._showing.done():
            self._showing = asyncio.create_task(super().show(text), name="show")
        await asyncio.sleep(0)

    async def end(self, text: str, params: Mapping[str, Any]) -> str:
        if self._showing is not None:
            self._showing.cancel()
            await asyncio.wait([self._showing])
        return await super().end(text, params)


@mutant(
    "cancels-send",
    defect="cancels the send of its message when the answer ends, and begins another message",
    kills={
        "HC-STREAM-015": "messages with the first words, sent as the answer ended 0.6 s after them: FAILED"
    },
)
class CancelsSend(_OwnDraft):
    draft = _Hasty
