"""Which messages of a group are for the bot (contract 6.4)."""

from __future__ import annotations

import pytest

from hosting.messaging import GroupMode, accepted_in_group


@pytest.mark.parametrize(
    ("mode", "accepted"),
    [
        ("mention_only", {"mention", "both"}),
        ("command_only", {"command", "both"}),
        ("mention_or_command", {"mention", "command", "both"}),
        ("all", {"mention", "command", "both", "neither"}),
    ],
)
def test_each_mode_accepts_exactly_its_own_forms(mode: GroupMode, accepted: set[str]) -> None:
    forms = {
        "mention": accepted_in_group(mode, mention=True, command=False),
        "command": accepted_in_group(mode, mention=False, command=True),
        "both": accepted_in_group(mode, mention=True, command=True),
        "neither": accepted_in_group(mode, mention=False, command=False),
    }
    assert {form for form, ok in forms.items() if ok} == accepted
