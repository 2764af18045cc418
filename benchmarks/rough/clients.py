"""Clients that ask, leave in the middle, and cancel; each answer must be one that the case allows."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

_KINDS = 20
_AGAIN = 0.1
_ATTEMPTS = 50
_AWAY, _IN_PROGRESS = 503, 409


class Clients:
    """All clients together.

    Args:
        http: Speaks to the host.

    Attributes:
        outcomes: How often each thing happened.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.outcomes: Counter[str] = Counter()
        self._keys = itertools.count()

    async def conversations(self, count: int) -> list[str]:
        """New conversations."""
        return [(await self._surely("POST", "/conversations", json={}))["id"] for _ in range(count)]

    async def forget(self, conversations: Sequence[str]) -> None:
        """Deletes conversations with all that was said in them."""
        for conversation in conversations:
            await self._surely("DELETE", f"/conversations/{conversation}")

    async def turns(self, conversations: Sequence[str], count: int, *, at_once: int) -> None:
        """So many turns, by so many clients at once."""
        numbers = iter(range(count))
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._client(conversations, numbers))

    async def _client(self, conversations: Sequence[str], numbers: Iterator[int]) -> None:
        for number in numbers:
            conversation = conversations[number % len(conversations)]
            match number % _KINDS:
                case 0:
                    await self._fails(conversation)
                case 1:
                    await self._leaves(conversation)
                case 2:
                    await self._fails_in_a_stream(conversation)
                case 3:
                    await self._cancels()
                case 4 | 5:
                    await self._streams(conversation)
                case 6 | 7:
                    await self._answered({"store": False})
                case _:
                    await self._answered({"conversation": conversation})

    async def _answered(self, where: dict[str, Any]) -> None:
        answer = await self._http.post("/responses", json={"input": "hello", **where})
        self._count(answer, 200, "completed", "hello")

    async def _fails(self, conversation: str) -> None:
        answer = await self._http.post("/responses", json={"input": "fail", "conversation": conversation})
        self._count(answer, 500, "failed", "error")

    async def _streams(self, conversation: str) -> None:
        body = {"input": "hello", "conversation": conversation, "stream": True}
        await self._streamed(body, "response.completed", "streamed")

    async def _fails_in_a_stream(self, conversation: str) -> None:
        body = {"input": "fail", "conversation": conversation, "stream": True}
        await self._streamed(body, "response.failed", "failed in a stream")

    async def _streamed(self, body: dict[str, Any], end: str, outcome: str) -> None:
        """A store that goes away at the end of a stream makes a failure of it; one that just stops counts as itself."""
        try:
            answer = await self._http.post("/responses", json=body)
        except httpx.RemoteProtocolError:
            self.outcomes["broke off without an end"] += 1
            return
        if answer.status_code != 200 or end in answer.text:
            self._count(answer, 200, outcome, end)
        elif "event: response.failed" in answer.text:
            self.outcomes["failed at its commit"] += 1
        else:
            self.outcomes["broke off without an end"] += 1

    async def _leaves(self, conversation: str) -> None:
        body = {"input": "hang", "conversation": conversation, "stream": True}
        async with self._http.stream("POST", "/responses", json=body) as answer:
            if answer.status_code != _AWAY:
                async for line in answer.aiter_lines():
                    if "output_text.delta" in line or "response.failed" in line:
                        break
        self.outcomes["left" if answer.status_code == 200 else "refused"] += 1

    async def _cancels(self) -> None:
        """One that was refused may be running all the same: its key gives it again (contract 12.1)."""
        response = await self._begun(f"key {next(self._keys)}")
        if response is None:
            return
        await self._surely("POST", f"/responses/{response}/cancel", allowed=(200, 400))
        status: str = (await self._surely("GET", f"/responses/{response}"))["status"]
        if status not in ("cancelled", "failed"):  # failed: the store went away under the run
            raise RuntimeError(f"found {status!r} after a cancel, expected 'cancelled' or 'failed'")
        await self._surely("DELETE", f"/responses/{response}")
        self.outcomes["cancelled" if status == "cancelled" else "failed in background"] += 1

    async def _begun(self, key: str) -> str | None:
        """The id of a background response; None where its key says for long that its first request is under way."""
        body = {"input": "hang", "background": True}
        for _ in range(_ATTEMPTS):
            answer = await self._http.post("/responses", json=body, headers={"idempotency-key": key})
            if answer.status_code == 200:
                return answer.json()["id"]
            if answer.status_code not in (_AWAY, _IN_PROGRESS):
                raise RuntimeError(f"found {answer.status_code}: {answer.text[:200]}")
            await asyncio.sleep(_AGAIN)
        self.outcomes["key held by a refused request"] += 1
        return None

    async def _surely(
        self, method: str, path: str, *, allowed: Sequence[int] = (200,), **options: Any
    ) -> Any:
        """Asks until the store is there."""
        for _ in range(_ATTEMPTS):
            answer = await self._http.request(method, path, **options)
            if answer.status_code in allowed:
                return answer.json()
            if answer.status_code != _AWAY:
                raise RuntimeError(f"{method} {path}: found {answer.status_code}: {answer.text[:200]}")
            await asyncio.sleep(_AGAIN)
        raise RuntimeError(f"{method} {path}: refused {_ATTEMPTS} times")

    def _count(self, answer: httpx.Response, status: int, outcome: str, holds: str) -> None:
        if answer.status_code == _AWAY:
            self.outcomes["refused"] += 1
        elif answer.status_code != status or holds not in answer.text:
            raise RuntimeError(
                f"found {answer.status_code}, expected {status} with {holds!r}: {answer.text[-300:]}"
            )
        else:
            self.outcomes[outcome] += 1
