"""The sender of signed webhooks, against a receiver that verifies as it should."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hosting_testkit.clock import VirtualClock, virtual_time
from hosting_testkit.faults import FaultPlan
from hosting_testkit.simulators import RedeliveryPolicy, SignatureScheme, WebhookSender

SECRET = "sixteen-letters!"
URL = "https://bot.example/events"


class Receiver:
    """Verifies, answers challenges, and keeps what it took."""

    def __init__(
        self, clock: VirtualClock, scheme: SignatureScheme | None = None, *, echo: str = "json"
    ) -> None:
        self.events: list[tuple[str, Any]] = []
        self.attempts: list[str | None] = []
        self.fails = 0
        self._clock = clock
        self._scheme = scheme or SignatureScheme()
        self._echo = echo
        self.app = Starlette(routes=[Route("/events", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        raw = await request.body()
        if not self._scheme.verify(raw, request.headers, SECRET, self._clock.now()):
            return Response(status_code=401)
        self.attempts.append(request.headers.get("x-attempt"))
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the receiver's own trouble")
        event = json.loads(raw)
        if event["type"] == "url_verification":
            challenge = event["challenge"]
            if self._echo == "text":
                return PlainTextResponse(challenge)
            return JSONResponse({"challenge": challenge if self._echo == "json" else challenge[:-1]})
        self.events.append((request.headers["x-event-id"], event))
        return Response(status_code=202)


def pair(**options: Any) -> tuple[Receiver, WebhookSender]:
    clock = VirtualClock().bind()
    echo, scheme = options.pop("echo", "json"), options.get("signature")
    receiver = Receiver(clock, scheme, echo=echo)
    return receiver, WebhookSender(URL, secret=SECRET, bot=receiver.app, clock=clock, **options)


@virtual_time
async def test_an_event_arrives_signed_with_an_id_of_its_own() -> None:
    receiver, sender = pair()
    async with sender:
        assert await sender.send({"type": "ping", "n": 1}) and await sender.send(
            {"type": "ping", "n": 2}, id="mine"
        )
    assert receiver.events == [("evt_1", {"type": "ping", "n": 1}), ("mine", {"type": "ping", "n": 2})]
    assert [attempt.status for attempt in sender.log] == [202, 202]


@virtual_time
async def test_an_event_comes_again_with_its_number_and_a_fresh_signature() -> None:
    receiver, sender = pair(policy=RedeliveryPolicy(max_attempts=3, backoff=(400, 400)))
    receiver.fails = 2
    async with sender:
        assert await sender.send({"type": "ping"})
    assert receiver.attempts == [None, "2", "3"] and len(receiver.events) == 1
    assert [attempt.status for attempt in sender.log] == [500, 500, 202]


@pytest.mark.parametrize(("echo", "verified"), [("json", True), ("text", True), ("wrong", False)])
@virtual_time
async def test_the_handshake_wants_the_challenge_back(echo: str, verified: bool) -> None:
    _, sender = pair(echo=echo)
    async with sender:
        assert await sender.verify_url() is verified


@virtual_time
async def test_the_handshake_fails_where_nobody_listens_for_it() -> None:
    _, sender = pair()
    elsewhere = WebhookSender("https://bot.example/elsewhere", secret=SECRET, bot=Starlette())
    async with sender, elsewhere:
        assert not await elsewhere.verify_url()


@virtual_time
async def test_forged_and_stale_signatures_are_easy_to_make() -> None:
    receiver, sender = pair(policy=RedeliveryPolicy(max_attempts=1, backoff=()))
    async with sender:
        for forge in (
            lambda right: {},
            lambda right: {**right, "x-signature": "sha256=" + "0" * 64},
            lambda right: {**right, "x-timestamp": "1"},
        ):
            assert (await sender.attempt({"type": "ping"}, forge=forge)).status == 401
        assert (await sender.attempt({"type": "ping"})).status == 202
    assert len(receiver.events) == 1


@virtual_time
async def test_the_scheme_can_be_another() -> None:
    scheme = SignatureScheme(
        header="x-slack-like-signature",
        timestamp_header="x-slack-like-timestamp",
        prefix="v0=",
        before="v0:{timestamp}:",
    )
    receiver, sender = pair(signature=scheme)
    async with sender:
        assert await sender.send({"type": "ping"})
    bare = SignatureScheme(timestamp_header=None)
    receiver, sender = pair(signature=bare)
    async with sender:
        assert await sender.send({"type": "ping"}) and len(receiver.events) == 1


def test_a_signature_is_the_documented_bytes() -> None:
    """The figures are those of `openssl dgst -sha256 -hmac sixteen-letters!` over `1767225600.{}`."""
    headers = SignatureScheme().headers(b"{}", SECRET, 1_767_225_600.9)
    assert headers["x-timestamp"] == "1767225600"
    assert headers["x-signature"] == "sha256=c5bb75a5993cbd2e1cc12115a688037985e519a7be11bd7b63ada7ea3bb56ce6"


@virtual_time
async def test_faults_meet_events_by_their_type() -> None:
    faults = FaultPlan()
    faults.on("ping").duplicate(gap=5)
    receiver, sender = pair(faults=faults)
    async with sender:
        await sender.send({"type": "ping"})
        await sender.send({"type": "pong"})
    assert [event["type"] for _, event in receiver.events] == ["ping", "ping", "pong"]
    assert [str(done) for done in sender.fault_run.applied] == ["on ping, call 1: duplicate gap=5"]


@virtual_time
async def test_posting_in_the_background_ends_with_the_block() -> None:
    receiver, sender = pair(policy=RedeliveryPolicy(backoff=(1_000,)))
    receiver.fails = 1
    async with sender:
        task = sender.post({"type": "ping"})
        await asyncio.sleep(1)
    assert task.cancelled() and receiver.events == []
