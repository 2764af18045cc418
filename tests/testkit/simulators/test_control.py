"""The control of the platform over HTTP, as another process sees it."""

from __future__ import annotations

from typing import Any

import httpx

from hosting_testkit.clock import virtual_time
from hosting_testkit.faults import FaultPlan
from hosting_testkit.simulators import BotPlatform
from hosting_testkit.simulators.bot import BEHAVIOURS, controlled
from hosting_testkit.transports import StreamingASGITransport, lifespan


@virtual_time
async def test_a_conversation_without_the_python_surface() -> None:
    sim = BotPlatform(bot=None)
    app = controlled(sim)
    headers = {"authorization": f"Bearer {sim.token}"}
    transport = StreamingASGITransport(app)
    async with (
        lifespan(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as http,
    ):

        async def does(name: str, does: str, **deed: Any) -> httpx.Response:
            return await http.post(f"/control/people/{name}", json={"does": does, **deed})

        made = (await http.post("/control/groups", json={"title": "team", "members": ["ann"]})).json()
        said = (await does("ann", "says", text="hi", group="team", mention="helper", thread="plans")).json()
        assert said["text"] == "@helper hi" and said["thread"] == "t_plans"
        assert (await does("ann", "edits", message=said["id"], text="hello", group="team")).status_code == 200
        buttons = [[{"text": "Yes", "data": "y"}]]
        sent = {"chat": made["id"], "text": "Sure?", "buttons": buttons, "reply_to": said["id"]}
        assert (await http.post("/bot/sendMessage", json=sent)).status_code == 200
        assert (await does("ann", "presses", button="Yes", group="team")).json() == {"press": "press_1"}
        assert (await does("bob", "joins", group="team")).status_code == 200
        seen = (await http.get("/control/chats/team")).json()
        assert [message["text"] for message in seen] == ["hello", "Sure?"]
        kinds = [update["kind"] for update in (await http.post("/bot/getUpdates")).json()["result"]]
        assert kinds == ["message", "message_edited", "button", "member_joined"]
        assert [call["method"] for call in (await http.get("/control/calls")).json()] == [
            "sendMessage",
            "getUpdates",
        ]
        assert len((await http.get("/control/behaviours")).json()) == len(BEHAVIOURS)


@virtual_time
async def test_faults_can_be_added_and_mistakes_are_told() -> None:
    sim = BotPlatform()
    async with httpx.AsyncClient(
        transport=StreamingASGITransport(controlled(sim)), base_url="http://127.0.0.1"
    ) as http:
        plan = FaultPlan()
        plan.on("getMe").reply(503)
        assert (await http.post("/control/faults", content=plan.to_json())).status_code == 200
        assert (await http.post("/bot/getMe")).status_code == 503
        for path, body in [
            ("people/ann", '{"does":"dances"}'),
            ("people/ann", '{"does":"joins"}'),
            ("people/ann", '{"does":"edits","message":7,"text":"x"}'),
            ("people/ann", "["),
            ("people/ann", '{"does":"says","txet":"hi"}'),
            ("groups", "{}"),
            ("faults", "{}"),
        ]:
            answer = await http.post(f"/control/{path}", content=body)
            assert answer.status_code == 400 and answer.json()["error"], body
        assert (await http.get("/control/chats/nobody")).status_code == 400
