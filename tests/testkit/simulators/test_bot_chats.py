"""What people see on the made-up platform, and what the bot is told of what they do."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from hosting_testkit.clock import VirtualClock, virtual_time
from hosting_testkit.simulators import UNPACED, BotLimits, BotPlatform, Sight


async def bot(sim: BotPlatform, method: str, **params: Any) -> Any:
    """What the bot gets: the result, or the refusal's code."""
    async with sim.client() as client:
        answer = (await client.post(f"/bot/{method}", json=params)).json()
    return answer["result"] if answer["ok"] else answer["error"]["code"]


async def told(sim: BotPlatform) -> list[dict[str, Any]]:
    """The updates that the bot was not given before."""
    found = await bot(sim, "getUpdates")
    if found:
        await bot(sim, "getUpdates", offset=found[-1]["id"] + 1)
    return found


@virtual_time
async def test_people_see_messages_after_edits_and_deletions() -> None:
    sim = BotPlatform()
    ann = sim.person("ann")
    said = ann.says("hi")
    first = await bot(sim, "sendMessage", chat=ann.chat.id, text="one moment")
    second = await bot(sim, "sendMessage", chat=ann.chat.id, text="oops", reply_to=said.id)
    await bot(sim, "editMessage", chat=ann.chat.id, message=first["id"], text="here you are")
    await bot(sim, "deleteMessage", chat=ann.chat.id, message=second["id"])
    ann.edits(said, "hello")
    chat = sim.chat("ann")
    assert chat.texts == ["hello", "here you are"] and chat.bot_texts == ["here you are"]
    assert [m.text for m in chat.versions] == ["hi", "one moment", "oops", "here you are", "hello"]
    assert chat.visible[1].edited is not None and chat.visible[1].id == first["id"]


@virtual_time
async def test_markup_is_what_people_see_and_marks_are_not() -> None:
    sim = BotPlatform()
    sim.person("ann").says("hi")
    sent = await bot(sim, "sendMessage", chat="c_ann", text=r"😀 *a _b_* \* `*c*`", format="markup")
    assert sim.chat("ann").bot_texts == ["😀 a b * *c*"]
    assert [(e["type"], e["offset"], e["length"]) for e in sent["entities"]] == [
        ("italic", 5, 1),
        ("bold", 3, 3),
        ("code", 9, 3),
    ]


@virtual_time
async def test_chats_are_apart_and_numbers_count_in_each() -> None:
    sim = BotPlatform()
    sim.person("ann").says("hi")
    sim.person("bob").says("hey")
    for chat in ("c_ann", "c_bob"):
        assert (await bot(sim, "sendMessage", chat=chat, text=chat))["id"] == 2
    assert sim.chat("ann").texts == ["hi", "c_ann"] and sim.chat("bob").texts == ["hey", "c_bob"]
    with pytest.raises(KeyError, match="c_ann"):
        sim.chat("eve")


@virtual_time
async def test_a_message_comes_with_who_where_whom_and_what_it_answers() -> None:
    sim = BotPlatform()
    team = sim.group("team", ["ann", "bob"])
    plans = team.thread("plans")
    first = sim.person("bob").says("when?", in_=team, thread=plans)
    sim.person("ann").says("😀 ask @helper please", in_=team, mention=sim.bot, reply_to=first, thread=plans)
    message = (await told(sim))[1]["message"]
    assert message["from"] == {"id": "u_ann", "name": "ann", "bot": False}
    assert message["chat"] == {"id": "g_team", "kind": "group", "title": "team"}
    assert message["thread"] == plans and message["reply_to"]["text"] == "when?"
    assert message["entities"] == [{"type": "mention", "offset": 7, "length": 7, "person": "u_bot"}]
    await bot(sim, "sendMessage", chat=team.id, text="noon", thread=plans)
    assert [m.text for m in team.chat.in_thread(plans)][-1] == "noon" and team.chat.in_thread(None) == []


@virtual_time
async def test_a_mention_is_written_if_it_is_not_in_the_text_and_a_command_is_marked() -> None:
    sim = BotPlatform()
    team = sim.group("team", ["ann"])
    ann = sim.person("ann")
    assert ann.says("hi", in_=team, mention=sim.bot).text == "@helper hi"
    assert ann.says("hi", in_=team, mention=sim.person("bob")).entities[0].person == "u_bob"
    command = ann.says("/new please", in_=team)
    assert [(e.type, e.offset, e.length) for e in command.entities] == [("command", 0, 4)]


@virtual_time
async def test_edits_and_comings_and_goings_are_told() -> None:
    sim = BotPlatform()
    team = sim.group("team", ["ann"])
    ann, bob = sim.person("ann"), sim.person("bob")
    ann.edits(ann.says("hi"), "hello")
    bob.joins(team)
    bob.leaves(team)
    ann.blocks()
    ann.unblocks()
    team.removes_bot()
    ann.says("is it gone?", in_=sim.group("team"))
    team.adds_bot()
    found = await told(sim)
    assert [update["kind"] for update in found] == [
        "message",
        "message_edited",
        "member_joined",
        "member_left",
        "bot_blocked",
        "bot_unblocked",
        "bot_removed",
        "bot_added",
    ]
    assert found[1]["message"]["text"] == "hello" and found[2]["from"]["name"] == "bob"
    assert [update["id"] for update in found] == list(range(1001, 1009))


@pytest.mark.parametrize(
    ("sight", "seen"),
    [
        (Sight(), ["hi all", "/new", "@helper hi", "yes?"]),
        (Sight(unaddressed=False), ["/new", "@helper hi", "yes?"]),
        (Sight(bots=True), ["hi all", "/new", "@helper hi", "beep", "yes?"]),
        (Sight(own=True), ["hello", "hi all", "/new", "@helper hi", "yes?"]),
    ],
)
@virtual_time
async def test_of_which_messages_the_bot_is_told(sight: Sight, seen: list[str]) -> None:
    sim = BotPlatform(sight=sight)
    team = sim.group("team", ["ann", "gadget"])
    ann, gadget = sim.person("ann"), sim.person("robot", bot=True)
    gadget.joins(team)
    number = (await bot(sim, "sendMessage", chat=team.id, text="hello"))["id"]
    ann.says("hi all", in_=team)
    ann.says("/new", in_=team)
    ann.says("hi", in_=team, mention=sim.bot)
    gadget.says("beep", in_=team)
    ann.says("yes?", in_=team, reply_to=team.chat.find(number))
    assert [u["message"]["text"] for u in await told(sim) if u["kind"] == "message"] == seen


@virtual_time
async def test_a_button_is_pressed_told_answered_and_its_message_edited() -> None:
    clock = VirtualClock()
    sim = BotPlatform(clock=clock)
    ann = sim.person("ann")
    ann.says("may I?")
    rows = [[{"text": "Yes", "data": "y:1"}, {"text": "No", "data": "n:1"}]]
    asked = await bot(sim, "sendMessage", chat="c_ann", text="Sure?", buttons=rows)
    press, late = ann.presses("Yes"), ann.presses("n:1")
    wired = (await told(sim))[1]["press"]
    assert (wired["id"], wired["data"], wired["from"]["name"]) == (press.id, "y:1", "ann")
    assert wired["message"]["id"] == asked["id"] and press.answer is None
    assert await bot(sim, "answerButton", press=press.id, text="noted") is True
    assert press.answer == "noted"
    clock.advance(901)
    assert await bot(sim, "answerButton", press=late.id) == "unknown_press"
    await bot(sim, "editMessage", chat="c_ann", message=asked["id"], text="Sure?")
    with pytest.raises(ValueError, match="found no button 'Yes'"):
        ann.presses("Yes")


@virtual_time
async def test_typing_is_seen_for_a_while_or_until_the_bot_writes() -> None:
    clock = VirtualClock()
    sim = BotPlatform(clock=clock)
    sim.person("ann").says("hi")
    assert not sim.typing("ann")
    await bot(sim, "sendTyping", chat="c_ann")
    assert sim.typing("ann")
    clock.advance(5)
    assert not sim.typing("ann")
    await bot(sim, "sendTyping", chat="c_ann")
    await bot(sim, "sendMessage", chat="c_ann", text="hello")
    assert not sim.typing("ann")


@virtual_time
async def test_files_go_both_ways() -> None:
    sim = BotPlatform()
    sim.person("ann").sends_file("a.csv", b"1,2", media_type="text/csv", caption="look")
    message = (await told(sim))[0]["message"]
    assert message["text"] == "look" and message["file"]["size"] == 3
    async with sim.client() as client:
        got = await client.get(f"/files/{message['file']['id']}")
        bare = await client.get(f"/files/{message['file']['id']}", headers={"authorization": ""})
    assert (got.content, got.headers["content-type"].partition(";")[0]) == (b"1,2", "text/csv")
    assert bare.status_code == 401
    data = base64.b64encode(b"\x00\xff").decode()
    await bot(sim, "sendFile", chat="c_ann", name="b.bin", data=data, caption="here")
    assert sim.chat("ann").visible[1].file.data == b"\x00\xff"


@virtual_time
async def test_the_command_menu_is_replaced_whole() -> None:
    sim = BotPlatform()
    for names in (["new", "help"], ["stop"]):
        await bot(sim, "setCommands", commands=[{"name": n, "description": n} for n in names])
    assert [c["name"] for c in await bot(sim, "getCommands")] == ["stop"] == [c.name for c in sim.commands]


@virtual_time
async def test_a_refused_call_changes_nothing() -> None:
    sim = BotPlatform()
    sim.person("ann").says("hi")
    await told(sim)
    for params in (
        {"text": ""},
        {"text": "x" * 4097},
        {"text": "x", "reply_to": 9},
        {"text": "x", "typo": 1},
    ):
        assert isinstance(await bot(sim, "sendMessage", chat="c_ann", **params), str)
    assert sim.chat("ann").texts == ["hi"] and sim.pending == []
    assert [(c.method, c.status, c.code) for c in sim.calls[-4:]] == [
        ("sendMessage", 400, "text_empty"),
        ("sendMessage", 400, "text_too_long"),
        ("sendMessage", 400, "unknown_reply"),
        ("sendMessage", 400, "bad_request"),
    ]
    assert (await bot(sim, "sendMessage", chat="c_ann", text="ok"))["id"] == 2


@virtual_time
async def test_people_cannot_do_what_people_cannot_do() -> None:
    sim = BotPlatform()
    team = sim.group("team", ["ann"])
    ann, bob = sim.person("ann"), sim.person("bob")
    with pytest.raises(ValueError, match="bob is no member of 'team'"):
        bob.says("hi", in_=team)
    with pytest.raises(ValueError, match="see Group"):
        ann.says("hi", in_=team, thread="t_nowhere")
    with pytest.raises(ValueError, match="bob did not write it"):
        bob.edits(ann.says("hi"), "bye")
    ann.blocks()
    with pytest.raises(ValueError, match="has blocked the bot"):
        ann.says("hi")


@virtual_time
async def test_the_rate_limits_tell_how_long_to_wait_and_hold_over_edits_and_all_chats() -> None:
    clock = VirtualClock()
    sim = BotPlatform(clock=clock)
    sim.person("ann").says("hi")
    async with sim.client() as client:

        async def send(chat: str) -> httpx.Response:
            return await client.post("/bot/sendMessage", json={"chat": chat, "text": "x"})

        for number in range(4):
            assert (await send("c_ann")).json()["result"]["id"] == number + 2
        edit = {"chat": "c_ann", "message": 2, "text": "edited"}
        assert (await client.post("/bot/editMessage", json=edit)).status_code == 200
        refused = await send("c_ann")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["error"]["retry_after"] == 1
        clock.advance(0.9)
        soon = await send("c_ann")
        assert soon.status_code == 429 and soon.json()["error"]["retry_after"] == 1
        clock.advance(0.1)
        assert (await send("c_ann")).status_code == 200
        for number in range(10):
            sim.person(f"p{number}").says("hi")
        clock.advance(100)
        statuses = [(await send(f"c_p{number % 10}")).status_code for number in range(31)]
        assert statuses == [200] * 30 + [429]


@virtual_time
async def test_limits_can_be_off() -> None:
    sim = BotPlatform(limits=BotLimits(**UNPACED))
    sim.person("ann").says("hi")
    async with sim.client() as client:
        for _ in range(50):
            assert (await client.post("/bot/sendTyping", json={"chat": "c_ann"})).status_code == 200
            sent = await client.post("/bot/sendMessage", json={"chat": "c_ann", "text": "x"})
            assert sent.status_code == 200
