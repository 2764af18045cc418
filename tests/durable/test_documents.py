"""The code of `docs/durable-tasks.md` runs."""

from __future__ import annotations

import asyncio

from hosting import ChannelRequest, InMemoryHostStateStore
from hosting_testkit import VirtualClock, VirtualLoop, virtual_time
from hosting_testkit.clock import run_virtual
from hosting_testkit.runners import StoreHarness
from hosting_testkit.targets import ScriptedChatClient
from hosting_testkit.targets.steps import ToolCall
from tests import documents


def test_the_reminder_is_sent_once() -> None:
    async def remind() -> None:
        found = documents.run("docs/durable-tasks.md", "reminder")
        harness = StoreHarness(InMemoryHostStateStore())
        await harness.open()
        runner = harness.make()
        handle = await found["use"](runner)
        await asyncio.sleep(239)
        assert found["sent"] == []
        await asyncio.sleep(5)
        assert found["sent"] == [("Tea is ready", handle.task_id)]
        assert await runner.get(handle) == "succeeded"
        await runner.drain(0)
        await harness.close()

    run_virtual(remind)


@virtual_time
async def test_a_tool_of_the_agent_schedules_the_reminder() -> None:
    found = documents.run("docs/durable-tasks.md", "reminder", "host")
    arguments = {"chat": "ann", "text": "Tea is ready", "minutes": 4}
    client = ScriptedChatClient([ToolCall("remind_me", arguments)], "I shall.")
    store, channel = InMemoryHostStateStore(), documents.run("docs/first-channel.md", "first_channel")
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = VirtualClock().bind(loop)
    host = found["serve_reminders"](client, channel["SayChannel"](), state=store, time_source=clock)
    async with host:
        answer = await host.run(ChannelRequest(channel="say", operation="turn", input="Remind me of my tea."))
        assert answer.text == "I shall."
        await asyncio.sleep(239)
        assert found["sent"] == []
        await asyncio.sleep(2)
        assert [text for text, _ in found["sent"]] == ["Tea is ready"]
