"""The six scenarios show what they are named for, on channels of every kind, and the same each time."""

from __future__ import annotations

import pytest

from hosting_testkit.conformance.reference import BotDriver, PollingBotDriver, RpcDriver, UnaryRpcDriver
from hosting_testkit.conformance.scenarios import SCENARIOS, play
from hosting_testkit.drivers import Delta, Error, Terminal, Text
from hosting_testkit.snapshots import render


def test_there_are_six() -> None:
    assert list(SCENARIOS) == [
        "happy-stream",
        "tools-and-reasoning",
        "replace-mode",
        "mid-stream-error",
        "cancel",
        "overflow-split",
    ]


@pytest.mark.parametrize("driver", [RpcDriver, UnaryRpcDriver, BotDriver, PollingBotDriver])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_they_are_the_same_each_time(driver: type[RpcDriver] | type[BotDriver], scenario: str) -> None:
    first, second = play(driver, scenario), play(driver, scenario)
    assert render.events(first.events) == render.events(second.events)
    assert (first.channel, first.scenario) == (driver.name, scenario)


def test_a_stream_shows_each_scenario() -> None:
    seen = {scenario: play(RpcDriver, scenario).events for scenario in SCENARIOS}
    assert seen["happy-stream"][:2] == [Delta("Hello, ", item="0"), Delta("world.", item="0")]
    assert all("asked for" not in repr(out) for out in seen["tools-and-reasoning"])
    assert len({out.item for out in seen["replace-mode"] if isinstance(out, Delta)}) == 2
    assert isinstance(seen["mid-stream-error"][-2], Error)
    assert seen["mid-stream-error"][-1] == Terminal("failed")
    assert Delta("Half an ", item="0") in seen["cancel"]
    assert not any(isinstance(out, Delta) and "answer." in out.text for out in seen["cancel"])


def test_a_bot_shows_each_scenario() -> None:
    seen = {scenario: play(BotDriver, scenario).events for scenario in SCENARIOS}
    texts = {name: [out.text for out in outs if isinstance(out, Text)] for name, outs in seen.items()}
    assert texts["happy-stream"] == ["Hello, world."]
    assert texts["replace-mode"] == ["It is sunny. Go out."]
    assert len(texts["overflow-split"]) >= 2
    assert "answer." not in "".join(texts["cancel"])


def test_a_scenario_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="sad-stream"):
        play(RpcDriver, "sad-stream")
