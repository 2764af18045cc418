"""The made-up platform refuses what it says; one that is laxer or stricter in any one point is found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import httpx
import pytest

from hosting_testkit.clock import virtual_time
from hosting_testkit.simulators import BotLimits, BotPlatform, Rate
from hosting_testkit.simulators.bot import BEHAVIOURS, PROVOCATIONS
from hosting_testkit.simulators.parts import (
    Assumed,
    Behaviour,
    Behaviours,
    Documented,
    Provocation,
    dishonest,
)

REFUSALS = [behaviour.id for behaviour in BEHAVIOURS if behaviour.refuses is not None]
USUAL = BotLimits()
OTHER_LIMITS = {
    "accepts-5000-characters": ("text_too_long", replace(USUAL, text=5000)),
    "accepts-one-character-more": ("text_too_long", replace(USUAL, text=4097)),
    "refuses-the-last-character": ("text_too_long", replace(USUAL, text=4095)),
    "accepts-long-captions": ("caption_too_long", replace(USUAL, caption=4096)),
    "accepts-101-entities": ("too_many_entities", replace(USUAL, entities=101)),
    "accepts-101-buttons": ("too_many_buttons", replace(USUAL, buttons=101)),
    "counts-button-data-leniently": ("bad_button", replace(USUAL, button_data=65)),
    "accepts-long-answers": ("answer_too_long", replace(USUAL, answer=201)),
    "accepts-101-commands": ("too_many_commands", replace(USUAL, commands=101)),
    "accepts-large-files": ("file_too_large", replace(USUAL, file=10 * 1024 * 1024)),
    "accepts-large-polls": ("bad_poll", replace(USUAL, updates=101)),
    "has-no-rate-limit": ("too_many_requests", replace(USUAL, per_chat=None)),
    "refuses-the-fifth-message": ("too_many_requests", replace(USUAL, per_chat=Rate(4, 4.0))),
}


async def found(make: Callable[[], BotPlatform], code: str) -> list[str]:
    mine = [provocation for provocation in PROVOCATIONS if provocation.code == code]
    return [fault for fault in await dishonest(make, mine) if "no provocation" not in fault]


@virtual_time
async def test_the_platform_refuses_all_that_it_says_and_nothing_that_is_just_allowed() -> None:
    assert await dishonest(BotPlatform, PROVOCATIONS) == []


@pytest.mark.parametrize("code", REFUSALS)
@virtual_time
async def test_a_platform_without_one_of_its_refusals_is_found_out(code: str) -> None:
    faults = await found(lambda: BotPlatform(lenient=[code]), code)
    assert faults and faults[0].startswith(f"{code}: found 200")


@pytest.mark.parametrize(("code", "limits"), OTHER_LIMITS.values(), ids=OTHER_LIMITS.keys())
@virtual_time
async def test_a_platform_with_another_limit_is_found_out(code: str, limits: BotLimits) -> None:
    assert await found(lambda: BotPlatform(limits=limits), code)


@virtual_time
async def test_a_refusal_that_nobody_provokes_is_found_out() -> None:
    missing = [provocation for provocation in PROVOCATIONS if provocation.code != "blocked"]
    assert await dishonest(BotPlatform, missing) == ["blocked: no provocation"]


@pytest.mark.parametrize(("status", "honest"), [(403, True), (400, False), (200, False)])
@virtual_time
async def test_a_refusal_with_another_status_is_found_out(status: int, honest: bool) -> None:
    class Simulator:
        @property
        def provoked(self) -> dict[str, int]:
            return {"blocked": 1}

        def behaviours(self) -> list[Behaviour]:
            return [Behaviour("blocked", "Refuses.", Assumed("a guess"), 403)]

    async def provoke(simulator: Simulator) -> httpx.Response:
        return httpx.Response(status)

    assert (await dishonest(Simulator, [Provocation("blocked", provoke)]) == []) is honest


def test_every_behaviour_says_where_it_is_known_from() -> None:
    listed = BotPlatform().behaviours()
    assert {type(behaviour.provenance) for behaviour in listed} == {Documented, Assumed}
    for behaviour in listed:
        match behaviour.provenance:
            case Documented(url, read):
                assert url.startswith("https://") and read <= date(2026, 11, 21)
            case Assumed(because):
                assert because
            case recorded:
                pytest.fail(f"{behaviour.id}: {recorded}: there is no recording of a made-up platform")


def test_a_simulator_can_refuse_nothing_that_it_does_not_declare() -> None:
    behaviours = Behaviours([Behaviour("slow", "Is slow.", Assumed("a guess"))])
    with pytest.raises(KeyError, match="undeclared"):
        behaviours.refuse("undeclared", "no")
    with pytest.raises(KeyError, match="without the status"):
        behaviours.refuse("slow", "no")
    with pytest.raises(ValueError, match="lenient: found"):
        BotPlatform(lenient=["slow"])
