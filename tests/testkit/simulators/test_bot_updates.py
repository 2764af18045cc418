"""How updates reach a bot: polls and webhook, again until confirmed, with the faults of a plan on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from hosting_testkit.clock import virtual_time
from hosting_testkit.simulators import ONCE, BotPlatform, RedeliveryPolicy, SignatureScheme

SECRET = "sixteen-letters!"
HOOK = {"url": "https://bot.example/updates", "secret": SECRET}


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual_time
async def test_a_test_that_waits_in_vain_is_told_what_the_bot_did() -> None:
    """A bot that polls makes time go on, so the loop itself never finds that all are blocked."""
    async with BotPlatform() as sim, sim.client() as client:

        async def polls() -> None:
            while True:
                await client.post("/bot/getUpdates", json={"offset": 0, "timeout": 30})
                await asyncio.sleep(1)

        polling = asyncio.create_task(polls(), name="the bot")
        sim.person("ann").says("hi")
        with pytest.raises(TimeoutError, match="still false after 90 s") as told:
            await sim.until(lambda: sim.chat("ann").bot_texts, within=90)
        polling.cancel()
    text = str(told.value)
    assert "updates that it has not confirmed: 1" in text
    assert "90 x getUpdates -> 200" in text
    assert "task 'the bot' waits at" in text
    assert now() == 90


class Bot:
    """Takes posted updates; `answers` gives the status for the how many-th request."""

    def __init__(self, answers: Callable[[int], int] = lambda number: 200, *, takes: float = 0) -> None:
        self.seen: list[tuple[float, str]] = []
        self.broken: list[bytes] = []
        self.finished: list[float] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self._answers = answers
        self._takes = takes

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.seen]

    async def __call__(self, scope, receive, send) -> None:
        raw, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.broken.append(raw)
                return
            raw += message["body"]
            more = message["more_body"]
        update = json.loads(raw)
        self.seen.append((round(now(), 1), update.get("message", {}).get("text", update["kind"])))
        self.requests.append(({k.decode(): v.decode() for k, v in scope["headers"]}, raw))
        await asyncio.sleep(self._takes)
        self.finished.append(round(now(), 1))
        await send({"type": "http.response.start", "status": self._answers(len(self.seen)), "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def call(sim: BotPlatform, method: str, **params: Any) -> Any:
    async with sim.client() as client:
        answer = (await client.post(f"/bot/{method}", json=params)).json()
    return answer["result"] if answer["ok"] else answer["error"]["code"]


async def poll(sim: BotPlatform, **params: Any) -> list[str]:
    return [update["message"]["text"] for update in await call(sim, "getUpdates", **params)]


# Polling.


@virtual_time
async def test_updates_come_again_until_a_later_offset_confirms_them() -> None:
    sim = BotPlatform()
    for text in ("one", "two", "three"):
        sim.person("ann").says(text)
    assert await poll(sim, limit=2) == ["one", "two"]
    assert await poll(sim) == ["one", "two", "three"]
    assert await poll(sim, offset=1002) == ["two", "three"]
    assert await poll(sim, offset=1001) == ["two", "three"]
    assert await poll(sim, offset=1004) == [] == sim.pending


@virtual_time
async def test_a_long_poll_waits_for_the_first_update() -> None:
    sim = BotPlatform()
    assert await poll(sim, timeout=30) == [] and now() == 30
    waiting = asyncio.create_task(poll(sim, timeout=30))
    await asyncio.sleep(10)
    sim.person("ann").says("hi")
    assert await waiting == ["hi"] and now() == 40


@virtual_time
async def test_a_second_poll_ends_the_first_one() -> None:
    sim = BotPlatform()
    first = asyncio.create_task(call(sim, "getUpdates", timeout=30))
    await asyncio.sleep(1)
    second = asyncio.create_task(poll(sim, timeout=30))
    assert await first == "poll_superseded" and now() == 1
    sim.person("ann").says("hi")
    assert await second == ["hi"]


@virtual_time
async def test_a_poller_that_went_away_loses_nothing() -> None:
    sim = BotPlatform()
    gone = asyncio.create_task(call(sim, "getUpdates", timeout=50))
    await asyncio.sleep(1)
    gone.cancel()
    await asyncio.wait({gone})
    sim.person("ann").says("hi")
    assert await poll(sim) == ["hi"]


@virtual_time
async def test_updates_wait_a_day() -> None:
    sim = BotPlatform()
    sim.person("ann").says("old")
    await asyncio.sleep(80_000)
    sim.person("ann").says("new")
    await asyncio.sleep(6_401)
    assert await poll(sim) == ["new"]


@virtual_time
async def test_the_wanted_kinds_hold_until_they_are_given_anew() -> None:
    sim = BotPlatform()
    ann = sim.person("ann")
    await call(sim, "getUpdates", kinds=["message"])
    ann.edits(ann.says("hi"), "hello")
    assert await poll(sim) == ["hi"]
    await call(sim, "getUpdates", kinds=["message_edited"], offset=1002)
    ann.edits(ann.says("ho"), "hollo")
    assert await poll(sim) == ["hollo"]


@virtual_time
async def test_webhook_and_polls_exclude_each_other_and_nothing_is_lost_between_them() -> None:
    bot = Bot(lambda number: 500)
    async with BotPlatform(bot=bot) as sim:
        waiting = asyncio.create_task(call(sim, "getUpdates", timeout=30))
        await asyncio.sleep(1)
        await call(sim, "setWebhook", **HOOK)
        assert await waiting == "poll_superseded"
        assert await call(sim, "getUpdates") == "webhook_active"
        sim.person("ann").says("hi")
        assert await call(sim, "getWebhook") == {"url": HOOK["url"], "pending": 1}
        await asyncio.sleep(0.5)
        await call(sim, "deleteWebhook")
        await sim.idle()
        assert bot.texts == ["hi"] and await poll(sim) == ["hi"]
        await call(sim, "deleteWebhook", drop_pending=True)
        assert await poll(sim) == []


# The webhook.


@virtual_time
async def test_updates_are_posted_signed_and_acknowledged() -> None:
    bot = Bot()
    async with BotPlatform(bot=bot) as sim:
        sim.person("ann").says("before")
        await call(sim, "setWebhook", **HOOK)
        sim.person("ann").says("after")
        await sim.idle()
        headers, body = bot.requests[1]
        at = float(headers["x-timestamp"])
        assert bot.texts == ["before", "after"] and sim.pending == []
    scheme = SignatureScheme()
    assert scheme.verify(body, headers, SECRET, at + 300)
    assert not scheme.verify(body, headers, SECRET, at + 301)
    assert not scheme.verify(body + b" ", headers, SECRET, at)
    assert not scheme.verify(body, headers, SECRET + "!", at)
    assert not scheme.verify(body, {**headers, "x-timestamp": str(int(at) + 1)}, SECRET, at)
    for broken in ("", "soon", "-1", "٣", "9" * 400):
        assert not scheme.verify(body, {**headers, "x-timestamp": broken}, SECRET, at)
    assert not scheme.verify(body, {**headers, "x-signature": "é"}, SECRET, at)


@virtual_time
async def test_an_update_comes_again_with_the_same_id_until_it_is_acknowledged() -> None:
    bot = Bot(lambda number: 500 if number < 3 else 204)
    async with BotPlatform(bot=bot, policy=RedeliveryPolicy(backoff=(1, 10))) as sim:
        await call(sim, "setWebhook", **HOOK)
        sim.person("ann").says("hi")
        await sim.idle()
        assert bot.seen == [(0, "hi"), (1, "hi"), (11, "hi")]
        assert len({json.loads(body)["id"] for _, body in bot.requests}) == 1
        assert [(a.number, a.status) for a in sim.deliveries] == [(1, 500), (2, 500), (3, 204)]
        assert sim.pending == []


@virtual_time
async def test_the_platform_gives_up_at_some_point() -> None:
    bot = Bot(lambda number: 404)
    async with BotPlatform(bot=bot, policy=RedeliveryPolicy(max_attempts=3, backoff=(1,))) as sim:
        await call(sim, "setWebhook", **HOOK)
        sim.person("ann").says("hi")
        await sim.idle()
        assert bot.seen == [(0, "hi"), (1, "hi"), (2, "hi")] and sim.pending == []


@virtual_time
async def test_a_slow_bot_gets_the_update_again() -> None:
    bot = Bot(takes=12)
    async with BotPlatform(bot=bot, policy=RedeliveryPolicy(max_attempts=2, backoff=(1,), timeout=10)) as sim:
        await call(sim, "setWebhook", **HOOK)
        sim.person("ann").says("hi")
        await sim.idle()
        assert bot.texts == ["hi", "hi"]
        assert [a.error for a in sim.deliveries] == ["no answer for 10 s"] * 2
        assert [at for at, _ in bot.seen] == [0, 11]
        await asyncio.sleep(10)
        assert bot.finished == [12, 23]  # a server goes on when its client is gone


@pytest.mark.parametrize(("status", "waits"), [(None, 1.0), (500, 1.0), (503, 1.0), (429, 1.0), (404, None)])
def test_a_policy_may_take_some_statuses_for_final(status: int | None, waits: float | None) -> None:
    policy = RedeliveryPolicy(retry_on=(429,), backoff=(1.0,))
    assert policy.wait(1, status) == waits and policy.wait(5, status) is None and ONCE.wait(1, None) is None


# Faults on the way.


async def delivered(
    say: Callable[[BotPlatform], object], *texts: str, gap: float = 0.0, takes: float = 0.0
) -> Bot:
    bot = Bot(takes=takes)
    async with BotPlatform(bot=bot) as sim:
        await call(sim, "setWebhook", **HOOK)
        say(sim)
        for text in texts:
            sim.person("ann").says(text)
            await asyncio.sleep(gap)
        await sim.idle()
        assert sim.pending == []
    return bot


@virtual_time
async def test_a_duplicate_comes_although_the_first_was_acknowledged() -> None:
    bot = await delivered(lambda sim: sim.faults.on("message").nth(1).duplicate(gap=5, times=2), "a", "b")
    assert sorted(bot.seen) == [(0, "a"), (0, "b"), (5, "a"), (10, "a")]


@virtual_time
async def test_a_late_update_comes_late() -> None:
    bot = await delivered(lambda sim: sim.faults.on("message").nth(1).late(60), "a", "b")
    assert bot.seen == [(0, "b"), (60, "a")]


@pytest.mark.parametrize("gap", [0.0, 0.5])
@virtual_time
async def test_updates_of_a_window_come_in_reverse_order(gap: float) -> None:
    bot = await delivered(lambda sim: sim.faults.on().reorder(window=3), "a", "b", "c", gap=gap)
    assert bot.seen == [(3, "c"), (3, "b"), (3, "a")]


@virtual_time
async def test_a_burst_comes_at_once_and_its_rest_after_its_patience() -> None:
    def say(sim: BotPlatform) -> None:
        sim.faults.on().burst(3, patience=20)

    bot = await delivered(say, "a", "b", "c", "d", gap=2)
    assert bot.seen == [(4, "a"), (4, "b"), (4, "c"), (26, "d")]


@virtual_time
async def test_a_connection_that_breaks_in_the_middle_of_the_body_is_tried_again() -> None:
    bot = await delivered(lambda sim: sim.faults.on().disconnect(at="mid-body"), "a")
    assert bot.seen == [(1, "a")]
    assert bot.broken == [bot.requests[0][1][: len(bot.requests[0][1]) // 2]]


@virtual_time
async def test_a_connection_that_breaks_before_the_answer_is_tried_again() -> None:
    bot = await delivered(lambda sim: sim.faults.on().disconnect(at="before-answer"), "a", takes=4)
    assert bot.seen == [(0, "a"), (1, "a")] and bot.finished == [4, 5]


@virtual_time
async def test_a_bot_that_answers_first_and_works_later_is_acknowledged_at_once() -> None:
    async def bot(scope, receive, send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        await asyncio.sleep(30)

    async with BotPlatform(bot=bot) as sim:
        await call(sim, "setWebhook", **HOOK)
        sim.person("ann").says("hi")
        await sim.idle()
        assert now() < 1 and sim.deliveries[0].status == 200


@virtual_time
async def test_the_end_of_the_block_ends_a_bot_that_never_answers() -> None:
    async with BotPlatform(bot=Bot(takes=1e9)) as sim:
        await call(sim, "setWebhook", **HOOK)
        sim.person("ann").says("hi")
        await asyncio.sleep(1)
    assert now() < 120 and sim.pending != []
