"""One provocation for each refusal of `BotPlatform`, with the documented limits in figures of their own."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from ..parts.honesty import Provocation
from .chats import Message
from .people import Group
from .platform import BotPlatform

Step = Callable[[BotPlatform], Awaitable[httpx.Response]]
MIB = 1024 * 1024


async def call(sim: BotPlatform, method: str, **params: Any) -> httpx.Response:
    """One call of the bot."""
    async with sim.client() as client:
        return await client.post(f"/bot/{method}", json=params)


def _sends(**params: Any) -> Step:
    """Sends into Ann's chat, who has written before."""

    async def step(sim: BotPlatform) -> httpx.Response:
        sim.person("ann").says("hi")
        return await call(sim, "sendMessage", **{"chat": "c_ann", "text": "hello", **params})

    return step


def _calls(method: str, **params: Any) -> Step:
    async def step(sim: BotPlatform) -> httpx.Response:
        sim.person("ann").says("hi")
        return await call(sim, method, **params)

    return step


def _edits(text: str) -> Step:
    """Edits the bot's own message `hello`."""

    async def step(sim: BotPlatform) -> httpx.Response:
        number = (await _sends()(sim)).json()["result"]["id"]
        return await call(sim, "editMessage", chat="c_ann", message=number, text=text)

    return step


async def _edits_anns(sim: BotPlatform) -> httpx.Response:
    said = sim.person("ann").says("hi")
    return await call(sim, "editMessage", chat="c_ann", message=said.id, text="not hers")


async def _edits_deleted(sim: BotPlatform) -> httpx.Response:
    number = (await _sends()(sim)).json()["result"]["id"]
    await call(sim, "deleteMessage", chat="c_ann", message=number)
    return await call(sim, "editMessage", chat="c_ann", message=number, text="still there?")


def _deletes_as(*admins: str) -> Step:
    async def step(sim: BotPlatform) -> httpx.Response:
        group, said = _group(sim)
        group.admits(*admins)
        return await call(sim, "deleteMessage", chat=group.id, message=said.id)

    return step


def _deletes_after(seconds: float) -> Step:
    """Deletes Ann's message in her private chat; needs virtual time."""

    async def step(sim: BotPlatform) -> httpx.Response:
        said = sim.person("ann").says("hi")
        await asyncio.sleep(seconds)
        return await call(sim, "deleteMessage", chat="c_ann", message=said.id)

    return step


async def _writes_to_blocker(sim: BotPlatform) -> httpx.Response:
    ann = sim.person("ann")
    ann.says("hi")
    ann.blocks()
    return await call(sim, "sendMessage", chat="c_ann", text="hello")


async def _writes_first(sim: BotPlatform) -> httpx.Response:
    return await call(sim, "sendMessage", chat=sim.person("ann").chat.id, text="hello")


async def _writes_from_outside(sim: BotPlatform) -> httpx.Response:
    group, _ = _group(sim)
    group.removes_bot()
    return await call(sim, "sendMessage", chat=group.id, text="hello")


async def _answers_twice(sim: BotPlatform) -> httpx.Response:
    press = await _press(sim)
    await call(sim, "answerButton", press=press)
    return await call(sim, "answerButton", press=press)


def _answers(length: int) -> Step:
    async def step(sim: BotPlatform) -> httpx.Response:
        return await call(sim, "answerButton", press=await _press(sim), text="a" * length)

    return step


async def _press(sim: BotPlatform) -> str:
    await _sends(buttons=[[{"text": "Yes", "data": "y"}]])(sim)
    return sim.person("ann").presses("Yes").id


def _sends_file(size: int, caption: str = "") -> Step:
    async def step(sim: BotPlatform) -> httpx.Response:
        data = base64.b64encode(bytes(size)).decode()
        return await _calls("sendFile", chat="c_ann", name="a.bin", data=data, caption=caption)(sim)

    return step


def _sends_often(times: int) -> Step:
    async def step(sim: BotPlatform) -> httpx.Response:
        answer = await _sends()(sim)
        for _ in range(times - 1):
            answer = await call(sim, "sendMessage", chat="c_ann", text="hello")
        return answer

    return step


async def _polls_beside_webhook(sim: BotPlatform) -> httpx.Response:
    await call(sim, "setWebhook", url="https://bot.example/updates", secret="s" * 16)
    return await call(sim, "getUpdates")


async def _polls_twice(sim: BotPlatform) -> httpx.Response:
    first = asyncio.ensure_future(call(sim, "getUpdates", timeout=50))
    await asyncio.sleep(1)
    await call(sim, "getUpdates")
    return await first


async def _wrong_token(sim: BotPlatform) -> httpx.Response:
    async with sim.client() as client:
        return await client.post("/bot/getMe", headers={"authorization": f"Bearer {sim.token[:-1]}"})


async def _fetches_nothing(sim: BotPlatform) -> httpx.Response:
    async with sim.client() as client:
        return await client.get("/files/f_7")


def _webhook(url: str, secret: str) -> Step:
    return _calls("setWebhook", url=url, secret=secret)


def _commands(many: int, name: str = "start", description: str = "Begins") -> Step:
    commands = [{"name": name, "description": description}] * many
    return _calls("setCommands", commands=commands)


def _buttons(many: int, data: str = "y") -> Step:
    return _sends(buttons=[[{"text": "Yes", "data": data}] for _ in range(many)])


def _entities(many: int, length: int = 1) -> Step:
    return _sends(text="😀 hello", entities=[{"type": "bold", "offset": 3, "length": length}] * many)


def _group(sim: BotPlatform) -> tuple[Group, Message]:
    group = sim.group("team", ["ann"])
    return group, sim.person("ann").says("hi", in_=group)


PROVOCATIONS: tuple[Provocation[BotPlatform], ...] = (
    Provocation("unauthorised", _wrong_token, _calls("getMe")),
    Provocation("unknown_method", _calls("sendMesage", chat="c_ann", text="hello")),
    Provocation("bad_request", _sends(txet="hello")),
    Provocation("text_empty", _sends(text=" \n ")),
    # Emoji are two UTF-16 units each, and the marks of markup are not counted.
    Provocation(
        "text_too_long", _sends(text="😀" * 2048 + "a"), _sends(text=f"*{'😀' * 2048}*", format="markup")
    ),
    Provocation("caption_too_long", _sends_file(1, "a" * 1025), _sends_file(1, "a" * 1024)),
    Provocation("bad_markup", _sends(text="*hello", format="markup"), _sends(text="*hello")),
    Provocation("bad_markup", _entities(1, 6), _entities(1, 5)),
    Provocation("too_many_entities", _entities(101), _entities(100)),
    Provocation("not_modified", _edits("hello"), _edits("hello you")),
    Provocation("not_yours", _edits_anns),
    Provocation("cannot_delete", _deletes_as(), _deletes_as("helper")),
    Provocation("cannot_delete", _deletes_after(172_801), _deletes_after(172_799)),
    Provocation("unknown_chat", _calls("sendMessage", chat="c_bob", text="hello")),
    Provocation("unknown_message", _edits_deleted),
    Provocation("unknown_reply", _sends(reply_to=7), _sends(reply_to=1)),
    Provocation("unknown_thread", _sends(thread="t_plans")),
    Provocation("blocked", _writes_to_blocker),
    Provocation("not_started", _writes_first),
    Provocation("not_member", _writes_from_outside),
    Provocation("too_many_buttons", _buttons(101), _buttons(100)),
    Provocation("bad_button", _buttons(1, "é" * 32 + "y"), _buttons(1, "é" * 32)),
    Provocation("unknown_press", _answers_twice),
    Provocation("answer_too_long", _answers(201), _answers(200)),
    Provocation("bad_command", _commands(1, "Start"), _commands(1, "a" * 32)),
    Provocation("bad_command", _commands(1, description="a" * 257), _commands(1, description="a" * 256)),
    Provocation("too_many_commands", _commands(101), _commands(100)),
    Provocation("file_too_large", _sends_file(5 * MIB + 1), _sends_file(5 * MIB)),
    Provocation("unknown_file", _fetches_nothing),
    Provocation("too_many_requests", _sends_often(6), _sends_often(5)),
    Provocation("webhook_active", _polls_beside_webhook),
    Provocation("poll_superseded", _polls_twice),
    Provocation("bad_poll", _calls("getUpdates", limit=101), _calls("getUpdates", limit=100)),
    Provocation("bad_webhook", _webhook("http://bot.example/updates", "s" * 16)),
    Provocation(
        "bad_webhook",
        _webhook("https://bot.example/updates", "s" * 15),
        _webhook("http://127.0.0.1:8000/updates", "s" * 16),
    ),
)
