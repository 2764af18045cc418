"""True processes, killed at some of their steps; `python -m benchmarks.crashes` kills them at all (contract 4.3-4.7)."""

from __future__ import annotations

from benchmarks.crashes import chats
from benchmarks.crashes.sweep import SCENARIOS, Scenario, every_step, sweep

FEW = {"reply": 12, "streamed reply": 18, "API with a key": 16}
"""Every how many-th step, by scenario: about twenty deaths."""


async def test_nothing_is_lost_or_seen_twice_when_a_process_is_killed() -> None:
    deaths = 0
    async with sweep() as on:
        for scenario in SCENARIOS:
            if scenario.name in FEW:
                async for found in every_step(on, scenario, "folder", stride=FEW[scenario.name]):
                    assert not found.defects, found
                    deaths += found.step is not None
    assert deaths >= 12


async def test_a_bot_that_sends_before_the_commit_is_found() -> None:
    early = Scenario("reply", chats.two_messages, bot="early")
    async with sweep() as on:
        found = await on.run(early, "folder", ("after", "sendMessage"))
    assert any("was seen 2 times" in defect for defect in found.defects), found
