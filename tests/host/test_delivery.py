"""Chat events in, replies out (contract 4.3, 4.6-4.8, 13, 14.4)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from hosting import HostLimits, InboundEvent, InMemoryHostStateStore
from hosting.delivery.inbox import lane_of
from hosting.state import Rows, Statement, StateUnavailable
from hosting.state.tables.outbox import Delivery, load_lost_deliveries, read_deliveries
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.conformance.reference.bot import BotChannel
from hosting_testkit.conformance.reference.bot_signature import signature_of
from hosting_testkit.simulators.parts import default_clock
from hosting_testkit.targets import Counting, Echo, Failing, Gate, Recorder, Scripted

SECRET = "0123456789abcdef"
_LONG = {"retry-after": "3000"}


@dataclass
class Platform:
    """Takes messages, and misbehaves as told: one answer or exception per send, then always 200."""

    trouble: list[Any] = field(default_factory=list[Any])
    sent: list[tuple[str, str | None, str]] = field(default_factory=list[tuple[str, str | None, str]])
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.url.path != "/bot/sendMessage":
            return httpx.Response(200, json={"ok": True, "result": []})
        if self.trouble:
            answer = self.trouble.pop(0)
            self.moved.set()
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.sent.append((body["chat"], body.get("thread"), re.sub(r"\\(.)", r"\1", body["text"])))
        self.moved.set()
        return httpx.Response(200, json={"ok": True, "result": {"id": len(self.sent)}})

    async def texts(self, count: int) -> list[str]:
        while len(self.sent) < count:
            self.moved.clear()
            await self.moved.wait()
        return [text for _, _, text in self.sent]


class KeptOpen(InMemoryHostStateStore):
    """A memory store that outlives its host, as a file does."""

    async def close(self) -> None:
        return None


async def lost(store: InMemoryHostStateStore) -> list[Delivery]:
    """The replies that ended without having surely arrived."""
    return read_deliveries((await store.execute(load_lost_deliveries()))[0])


@asynccontextmanager
async def bot_host(
    target: Any, platform: Callable[[httpx.Request], httpx.Response], **options: Any
) -> AsyncIterator[InMemoryHost]:
    transport = httpx.MockTransport(platform)
    async with (
        httpx.AsyncClient(transport=transport, base_url="https://chat.example") as client,
        InMemoryHost(
            target, lambda: [BotChannel(secret=SECRET, token=SECRET, http=client)], **options
        ) as host,
    ):
        yield host


async def deliver(
    host: InMemoryHost, text: str, *, id: str, chat: str = "c1", user: str = "u1", group: bool = False
) -> int:
    message = {
        "chat": {"id": chat, "kind": "group" if group else "private"},
        "from": {"id": user},
        "text": text,
    }
    if group:
        message["reply_to"] = {**message, "from": {"id": "u_bot"}}
    body = json.dumps({"id": id, "kind": "message", "message": message}).encode()
    now = str(int(default_clock().now()))
    headers = {"x-timestamp": now, "x-signature": signature_of(body, SECRET, now)}
    return (await host.post("/bot/events", content=body, headers=headers)).status_code


async def test_an_event_is_acknowledged_before_the_run_and_answered_after_it() -> None:
    platform, gate = Platform(), Gate()
    async with bot_host(gate, platform) as host:
        assert await deliver(host, "hello", id="1") == 200
        await gate.reached("hello")
        assert platform.sent == []
        gate.release("hello")
        assert await platform.texts(1) == ["hello"]


async def test_the_same_event_again_runs_nothing_and_is_acknowledged() -> None:
    platform, recorder = Platform(), Recorder(Echo())
    async with bot_host(recorder, platform) as host:
        for _ in range(3):
            assert await deliver(host, "hello", id="1") == 200
        await deliver(host, "next", id="2")
        assert await platform.texts(2) == ["hello", "next"]
    assert [run.text for run in recorder.runs] == ["hello", "next"]


async def test_events_of_one_chat_are_answered_in_order_and_chats_do_not_wait_for_each_other() -> None:
    platform, gate = Platform(), Gate()
    async with bot_host(gate, platform) as host:
        for number, text in enumerate(("one", "two")):
            await deliver(host, text, id=f"a{number}", chat="a")
        await deliver(host, "other", id="b1", chat="b", user="u2")
        await gate.reached("one")
        await gate.reached("other")
        gate.release("other")
        assert await platform.texts(1) == ["other"]
        with pytest.raises(AssertionError):
            await gate.reached("two", timeout=0)
        gate.release("one")
        await gate.reached("two")
        gate.release("two")
        assert await platform.texts(3) == ["other", "one", "two"]


@virtual_time
async def test_stop_does_not_wait_for_a_place_to_run() -> None:
    platform, gate = Platform(), Gate()
    async with bot_host(gate, platform, limits=HostLimits(max_concurrent_runs=1)) as host:
        await deliver(host, "endless", id="1", chat="a")
        await gate.reached("endless")
        await deliver(host, "waits", id="2", chat="b", user="u2")
        await deliver(host, "/stop", id="3", chat="a")
        await gate.reached("waits")
        assert gate.waiting("endless") == 0
        gate.release("waits")
        await platform.texts(2)
    assert ("b", None, "waits") in platform.sent


async def test_a_person_has_one_session_in_private_chats_and_others_have_their_own() -> None:
    platform = Platform()
    async with bot_host(Counting(), platform) as host:
        await deliver(host, "a", id="1", chat="c1", user="ann")
        await platform.texts(1)
        await deliver(host, "b", id="2", chat="c2", user="ann")
        await platform.texts(2)
        await deliver(host, "c", id="3", chat="c1", user="ben")
        assert await platform.texts(3) == ["turn 1", "turn 2", "turn 1"]


async def test_in_a_group_each_member_has_a_session_per_conversation() -> None:
    platform = Platform()
    async with bot_host(Counting(), platform) as host:
        await deliver(host, "a", id="1", chat="g", user="ann", group=True)
        await deliver(host, "b", id="2", chat="c", user="ann")
        await deliver(host, "c", id="3", chat="g", user="ben", group=True)
        await platform.texts(3)
        await deliver(host, "d", id="4", chat="g", user="ann", group=True)
        await platform.texts(4)
    assert sorted(text for _, _, text in platform.sent) == ["turn 1", "turn 1", "turn 1", "turn 2"]


async def test_a_failed_turn_shows_one_apology_with_its_id_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    platform = Platform()
    async with bot_host(Failing(), platform) as host:
        await deliver(host, "hello", id="1")
        text = "".join(await platform.texts(1))
        assert await deliver(host, "hello", id="1") == 200
    assert Failing.SECRET not in text
    error_id = text.rpartition("(")[2].rstrip(")")
    assert error_id in caplog.text
    assert "".join(text for _, _, text in platform.sent) == text


async def test_a_target_that_says_nothing_sends_nothing() -> None:
    platform = Platform()
    async with bot_host(Scripted.turns([], ["words"]), platform) as host:
        await deliver(host, "one", id="1")
        await deliver(host, "two", id="2")
        assert await platform.texts(1) == ["words"]


@virtual_time
async def test_a_send_that_surely_did_not_arrive_is_tried_again_when_the_platform_says() -> None:
    platform = Platform([httpx.Response(429, headers={"retry-after": "7"}), httpx.ConnectError("refused")])
    loop = asyncio.get_running_loop()
    async with bot_host(Echo(), platform) as host:
        began = loop.time()
        await deliver(host, "hello", id="1")
        assert await platform.texts(1) == ["hello"]
        assert loop.time() - began >= 7


@virtual_time
async def test_sends_that_failed_together_are_not_tried_again_together() -> None:
    chats, loop, times = 20, asyncio.get_running_loop(), list[float]()
    platform = Platform([httpx.ConnectError("refused") for _ in range(chats)])

    def timed(request: httpx.Request) -> httpx.Response:
        times.append(loop.time())
        return platform(request)

    async with bot_host(Echo(), timed) as host:
        for number in range(chats):
            await deliver(host, "hello", id=str(number), chat=f"c{number}", user=f"u{number}")
        await platform.texts(chats)
    first, again = times[:chats], times[-chats:]
    assert max(first) - min(first) < 0.1 < max(again) - min(again) <= 0.6


@virtual_time
async def test_a_send_that_may_have_arrived_is_not_repeated_and_the_next_one_goes_on() -> None:
    platform = Platform([httpx.ReadTimeout("no answer")])
    async with bot_host(Echo(), platform) as host:
        await deliver(host, "first", id="1")
        await deliver(host, "second", id="2")
        assert await platform.texts(1) == ["second"]
        await asyncio.sleep(3600)
        assert await platform.texts(1) == ["second"]


@virtual_time
async def test_a_permanent_refusal_is_not_repeated() -> None:
    platform = Platform([httpx.Response(403)])
    async with bot_host(Echo(), platform) as host:
        await deliver(host, "first", id="1")
        await asyncio.sleep(3600)
        assert platform.sent == []


@virtual_time
@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (httpx.Response(403, json={"ok": False, "error": {"code": "blocked"}}), "is dead: 'blocked'"),
        (httpx.Response(502, json={"ok": False, "error": {"code": "away"}}), "is unknown: 'away'"),
    ],
)
async def test_a_reply_that_is_lost_is_told_once_without_its_text(
    trouble: httpx.Response, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    platform, store = Platform([trouble]), KeptOpen()
    async with bot_host(Echo(), platform, state=store) as host:
        await deliver(host, "private words", id="1")
        await asyncio.sleep(60)
        (reply,) = await lost(store)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert all(part in record.getMessage() for part in ("channel bot", reply.id, reply.turn_id, told))
    assert "private" not in caplog.text
    assert SECRET not in caplog.text


@virtual_time
async def test_the_detail_of_a_lost_reply_is_one_short_line(caplog: pytest.LogCaptureFixture) -> None:
    code = "a\nforged line" + "!" * 1000
    platform = Platform([httpx.Response(403, json={"ok": False, "error": {"code": code}})])
    async with bot_host(Echo(), platform) as host:
        await deliver(host, "hello", id="1")
        await asyncio.sleep(60)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(record.getMessage().splitlines()) == 1
    assert len(record.getMessage()) < 400


@virtual_time
async def test_a_reply_that_is_half_sent_at_the_end_of_the_drain_is_unknown_and_not_sent_again() -> None:
    first, wait = httpx.Response(200, json={"result": {"id": 1}}), httpx.Response(429, headers=_LONG)
    platform, store, loop = Platform([first, wait]), KeptOpen(), asyncio.get_running_loop()
    async with bot_host(Echo(), platform, state=store) as host:
        await deliver(host, "word " * 60, id="1")
        while platform.trouble:
            await asyncio.sleep(0.1)
        began = loop.time()
        await host.restart()
        assert 5 <= loop.time() - began <= 6
        assert [reply.state for reply in await lost(store)] == ["unknown"]
        await deliver(host, "next", id="2")
        assert await platform.texts(1) == ["next"]
        await asyncio.sleep(4000)
    assert len(platform.sent) == 1


@virtual_time
async def test_a_send_that_ends_within_the_drain_is_kept_as_sent() -> None:
    first, wait = (
        httpx.Response(200, json={"result": {"id": 1}}),
        httpx.Response(429, headers={"retry-after": "4"}),
    )
    platform, store = Platform([first, wait]), KeptOpen()
    async with bot_host(Echo(), platform, state=store) as host:
        await deliver(host, "word " * 60, id="1")
        while platform.trouble:
            await asyncio.sleep(0.1)
        await host.restart()
        assert await lost(store) == []
    assert len(platform.sent) == 1


class TakesSlowly(KeptOpen):
    """Has the replies that a host takes, and is slow to say so."""

    inline = False

    def __init__(self) -> None:
        super().__init__()
        self.taken = asyncio.Event()

    async def execute(self, *unit: Statement) -> list[Rows]:
        rows = await super().execute(*unit)
        if unit[0].name == "outbox.take" and rows[0]:
            self.taken.set()
            await asyncio.sleep(1)
        return rows


@virtual_time
async def test_a_reply_that_was_just_taken_when_the_host_stops_is_sent() -> None:
    platform, store = Platform(), TakesSlowly()
    async with bot_host(Echo(), platform, state=store) as host:
        await deliver(host, "hello", id="1")
        await store.taken.wait()
        await host.restart()
        await deliver(host, "next", id="2")
        assert await platform.texts(2) == ["hello", "next"]
        assert await lost(store) == []


async def test_new_begins_a_new_session_for_this_person_alone() -> None:
    platform = Platform()
    async with bot_host(Counting(), platform) as host:
        for number, (user, text) in enumerate(
            [("ann", "a"), ("ben", "b"), ("ann", "/new"), ("ann", "c"), ("ben", "d")]
        ):
            await deliver(host, text, id=str(number), user=user, chat=user)
            await platform.texts(number + 1)
    assert [text for chat, _, text in platform.sent if chat == "ann"] == [
        "turn 1",
        "A new conversation begins.",
        "turn 1",
    ]
    assert [text for chat, _, text in platform.sent if chat == "ben"] == ["turn 1", "turn 2"]


async def test_help_lists_the_commands_and_an_unknown_one_is_text() -> None:
    platform = Platform()
    async with bot_host(Echo(), platform) as host:
        await deliver(host, "/help", id="1")
        assert "/new - " in (await platform.texts(1))[0]
        await deliver(host, "/nonsense with words", id="2")
        assert (await platform.texts(2))[1] == "/nonsense with words"


async def test_a_store_that_is_away_is_503_so_that_the_platform_sends_again() -> None:
    class Away(InMemoryHostStateStore):
        away = False

        async def execute(self, *unit: Statement) -> Any:
            if self.away:
                raise StateUnavailable("the disk is full")
            return await super().execute(*unit)

    platform, store = Platform(), Away()
    async with bot_host(Echo(), platform, state=store) as host:
        store.away = True
        assert await deliver(host, "hello", id="1") == 503
        store.away = False
        assert await deliver(host, "hello", id="1") == 200
        assert await platform.texts(1) == ["hello"]


async def test_an_event_cut_off_by_a_shutdown_is_answered_after_the_restart() -> None:
    platform, gate = Platform(), Gate()
    async with bot_host(gate, platform, state=KeptOpen(), limits=HostLimits(drain_timeout=0)) as host:
        await deliver(host, "hello", id="1")
        await gate.reached("hello")
        await host.restart()
        await gate.reached("hello", 2)
        gate.release("hello")
        assert await platform.texts(1) == ["hello"]


async def test_the_target_learns_where_its_turn_came_from() -> None:
    platform, recorder = Platform(), Recorder(Echo())
    async with bot_host(recorder, platform) as host:
        await deliver(host, "hello", id="1", chat="room")
        await platform.texts(1)
    (run,) = recorder.runs
    assert run.hosting["channel"] == "bot"
    assert run.hosting["conversation_id"] == "room"
    assert run.hosting["delivery_id"] == "1"
    assert run.hosting["identity"] == "u1"


def test_an_inbound_event_has_a_lane_by_its_place() -> None:
    event = InboundEvent(delivery_id="1", payload={}, conversation_id="c", native_id="u")
    assert lane_of("bot", event) != lane_of("bot", dataclasses.replace(event, native_id="v"))
    group = dataclasses.replace(event, conversation_kind="group")
    assert lane_of("bot", group) == lane_of("bot", dataclasses.replace(group, native_id="v"))
    assert lane_of("bot", dataclasses.replace(event, bypass_lane=True)) is None
