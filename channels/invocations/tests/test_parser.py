"""Bodies of the app's own kind (channels 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from channels.invocations.tests.serving import INVOCATION_ID, PATH, SESSION_ID, events_of, recording, serve
from hosting import ChannelRequest, UnsupportedMedia
from hosting_invocations import ParsedInvocation
from hosting_testkit.targets import Echo


def plain_text(body: bytes, content_type: str | None, headers: Mapping[str, str]) -> ParsedInvocation:
    if content_type != "text/plain":
        raise UnsupportedMedia("Send plain text.")
    return ParsedInvocation(
        input=body.decode(),
        session_id=headers.get("x-thread"),
        stream="text/event-stream" in headers.get("accept", ""),
        metadata={"length": len(body)},
    )


async def test_any_content_type_reaches_the_target() -> None:
    seen: list[ChannelRequest] = []
    headers = {"content-type": "text/plain", "x-thread": "t-1"}
    async with serve(Echo(), parser=plain_text, run_hook=recording(seen)) as host:
        reply = await host.post(PATH, content=b"said", headers=headers)
        stream = await host.post(PATH, content=b"said", headers=headers | {"accept": "text/event-stream"})
    assert (reply.json()["output"], reply.headers[SESSION_ID]) == ("said", "t-1")
    assert events_of(stream.content)[-1][1]["output"] == "said"
    assert seen[0].metadata == {"length": 4}


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"said", {"content-type": "text/html"}, 415),
        (b"\xff", {"content-type": "text/plain"}, 400),
        (b"  ", {"content-type": "text/plain"}, 400),
        (b"said", {"content-type": "text/plain", "x-thread": "a b"}, 400),
    ],
)
async def test_what_it_refuses_is_the_callers_fault(
    content: bytes, headers: dict[str, str], status: int
) -> None:
    async with serve(Echo(), parser=plain_text) as host:
        reply = await host.post(PATH, content=content, headers=headers)
    assert reply.status_code == status
    assert reply.headers[INVOCATION_ID]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotImplementedError("secret"), 501, "not_implemented"),
        (RuntimeError("secret"), 500, "internal_error"),
    ],
)
async def test_what_it_raises_is_not_told(error: Exception, status: int, code: str) -> None:
    def parser(body: bytes, content_type: str | None, headers: Mapping[str, str]) -> ParsedInvocation:
        raise error

    async with serve(Echo(), parser=parser) as host:
        reply = await host.post(PATH, content=b"x")
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert "secret" not in reply.text
    assert reply.headers[SESSION_ID]


async def test_what_is_no_parsed_invocation_is_the_apps_fault() -> None:
    def parser(*_: Any) -> Any:
        return {"input": "x"}

    async with serve(Echo(), parser=parser) as host:
        assert (await host.post(PATH, content=b"x")).status_code == 500
