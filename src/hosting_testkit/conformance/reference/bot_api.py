"""The reference bot's calls to its platform."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import httpx

from hosting import ChannelCommand, PushRetryable

_MARKUP = re.compile(r"([*_`\\])")


class Refused(Exception):
    """The platform answered no.

    Args:
        status: The HTTP status.
        code: The platform's reason.
        retry_after: Seconds to wait, where it says so.
    """

    def __init__(self, status: int, code: str, retry_after: float | None) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.retry_after = retry_after


class BotApi:
    """The platform's API.

    Args:
        client: Sends; closed by whoever made it.
        token: The bot's token.
        now: The time, in epoch seconds.
    """

    def __init__(self, client: httpx.AsyncClient, token: str, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._headers = {"authorization": f"Bearer {token}"}

    async def call(self, method: str, params: Mapping[str, Any], *, timeout: float | None = 10.0) -> Any:
        """The result of one call.

        Raises:
            Refused: The platform answered no.
            PushRetryable: It cannot be reached, so nothing has arrived.
            httpx.HTTPError: Whatever may have arrived.
        """
        try:
            answer = await self._client.post(
                f"/bot/{method}", json=dict(params), headers=self._headers, timeout=timeout
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise PushRetryable("the platform cannot be reached") from error
        if answer.status_code >= 400:
            raise self.refusal(answer)
        return _result(answer)

    def refusal(self, answer: httpx.Response) -> Refused:
        """What an answer of the platform that says no is."""
        try:
            code = str(answer.json()["error"]["code"])
        except (ValueError, KeyError, TypeError):
            code = f"status {answer.status_code}"
        wait = seconds_of(answer.headers.get("retry-after"), self._now())
        return Refused(answer.status_code, code, wait)

    async def download(self, file_id: str) -> bytes:
        """The bytes of a file that a person sent."""
        answer = await self._client.get(f"/files/{file_id}", headers=self._headers)
        return answer.raise_for_status().content

    async def send_text(self, place: Mapping[str, Any], text: str, *, method: str = "sendMessage") -> Any:
        """A text in the platform's markup, escaped; plain, should the platform refuse that (channels 0.4)."""
        try:
            marked = {**place, "text": escape(text), "format": "markup"}
            return await self.call(method, marked)
        except Refused as refused:
            if refused.code != "bad_markup":
                raise
        return await self.call(method, {**place, "text": text})

    async def offer_commands(self, ours: Sequence[ChannelCommand]) -> None:
        """Adds our commands to the menu; equal ones are not written again, and those of others stay (contract 13.1)."""
        theirs = {item["name"]: item["description"] for item in await self.call("getCommands", {})}
        wanted = theirs | {item.name: item.description for item in ours if item.expose_in_ui}
        if wanted != theirs:
            menu = [{"name": name, "description": text} for name, text in wanted.items()]
            await self.call("setCommands", {"commands": menu})


def escape(text: str) -> str:
    """`text` as markup that shows it as it is."""
    return _MARKUP.sub(r"\\\1", text)


def seconds_of(retry_after: str | None, now: float) -> float | None:
    """What a `Retry-After` header asks for, be it seconds or a date; None if it says neither."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return seconds if isfinite(seconds := float(retry_after)) else None
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now)
    except ValueError:
        return None


def _result(answer: httpx.Response) -> Any:
    """What the platform gives; a page of something in between may come with any status."""
    try:
        return answer.json()["result"]
    except (ValueError, KeyError, TypeError) as error:
        raise httpx.DecodingError("the answer is not the platform's", request=answer.request) from error
