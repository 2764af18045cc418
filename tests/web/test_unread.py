"""An answer that comes before the request's end is kept from being thrown away with it (contract 14.3)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.requests import Request
from starlette.routing import Route

from hosting.web import ChannelRoutes, JsonAnswer, read_body
from hosting.web.unread import LONGEST, SILENCE
from hosting_testkit.clock import virtual_time


async def endpoint(request: Request) -> JsonAnswer:
    await read_body(request, 10)
    raise RuntimeError


ROUTES = ChannelRoutes(
    "", [Route("/", endpoint, methods=["POST"])], logger=logging.getLogger("t"), error_id=str
)


class Client:
    """Sends pieces as they are asked for, each after `pause`, and notes when what was sent and taken."""

    def __init__(self, pieces: int, *, pause: float = 0.0) -> None:
        self.left = pieces
        self.pause = pause
        self.sent: list[tuple[str, int]] = []

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(self.pause)
        if self.left == 0:
            await asyncio.Event().wait()
        self.left -= 1
        return {"type": "http.request", "body": b"A" * 100_000, "more_body": self.left > 0}

    async def send(self, message: Any) -> None:
        self.sent.append((message["type"], self.left))

    async def post(self, *headers: tuple[bytes, bytes]) -> None:
        scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers), "query_string": b""}
        await ROUTES.handle(scope, self.receive, self.send)


CHUNKED = (b"transfer-encoding", b"chunked")


@pytest.mark.parametrize("header", [CHUNKED, (b"content-length", b"500000"), (b"content-length", b"1" * 30)])
async def test_the_answer_leaves_at_once_and_ends_when_the_body_has_come(header: tuple[bytes, bytes]) -> None:
    client = Client(5)

    await client.post(header)

    whole, ends = client.sent[:2], client.sent[2:]
    assert [name for name, _ in whole] == ["http.response.start", "http.response.body"]
    assert all(left >= 4 for _, left in whole)
    assert ends == [("http.response.body", 0)]


@virtual_time
async def test_a_body_that_was_read_is_not_waited_for() -> None:
    client = Client(1)

    before = asyncio.get_running_loop().time()
    await client.post(CHUNKED)

    assert client.sent == [("http.response.start", 0), ("http.response.body", 0)]
    assert asyncio.get_running_loop().time() == before


async def test_a_small_body_is_not_waited_for() -> None:
    client = Client(2)

    await client.post((b"content-length", b"100"))

    assert [name for name, _ in client.sent] == ["http.response.start", "http.response.body"]


@virtual_time
@pytest.mark.parametrize(("pause", "takes"), [(SILENCE * 2, SILENCE * 3), (SILENCE / 2, LONGEST + SILENCE)])
async def test_a_client_that_stalls_or_dribbles_is_left(pause: float, takes: float) -> None:
    client = Client(1_000_000, pause=pause)

    before = asyncio.get_running_loop().time()
    await client.post(CHUNKED)

    assert asyncio.get_running_loop().time() - before <= takes
    assert len(client.sent) == 3
