"""The code of `docs/simulators.md`, as its reader would run it, and its lists of methods and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosting_testkit.simulators.bot import BEHAVIOURS, METHODS
from tests import documents

DOCUMENT = "docs/simulators.md"
TEXT = (Path(documents.ROOT) / DOCUMENT).read_text()


def test_the_echo_bot_answers() -> None:
    documents.run(DOCUMENT, "echo_bot")["test_ann_gets_her_answer"]()


def test_the_fault_plan_is_met() -> None:
    documents.run(DOCUMENT, "echo_bot", "faults")["test_a_lost_answer_is_not_sent_twice"]()


def test_the_sender_is_acknowledged() -> None:
    documents.run(DOCUMENT, "webhook")["test_a_failing_receiver_gets_it_again"]()


@pytest.mark.parametrize("name", [*METHODS, *(b.id for b in BEHAVIOURS)])
def test_every_method_and_behaviour_is_listed(name: str) -> None:
    assert f"`{name}`" in TEXT
