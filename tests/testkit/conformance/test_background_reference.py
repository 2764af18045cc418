"""The reference with background runs passes what is special about it, and what every channel must."""

from __future__ import annotations

import pytest

from hosting_testkit.conformance import Item, Selection, Verdict, items_of, run_item
from hosting_testkit.conformance.reference import BackgroundRpcDriver

AREAS = ("CONT", "STREAM", "CANCEL", "CAP", "ROUTE", "AUTH", "IDEM", "ERR", "LIFE", "APPR")
CHOSEN = Selection(patterns=[f"HC-{area}-*" for area in AREAS])


@pytest.mark.parametrize("item", list(items_of(BackgroundRpcDriver, CHOSEN)), ids=lambda item: item.id)
def test_the_channel_with_background_runs_passes(item: Item) -> None:
    result = run_item(BackgroundRpcDriver, item)
    assert result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE), result.reason


def test_it_runs_every_rule_about_background_runs() -> None:
    own = Selection(patterns=["HC-CONT-*", "HC-STREAM-017", "HC-CANCEL-013"])
    verdicts = {
        item.rule.id: run_item(BackgroundRpcDriver, item).verdict
        for item in items_of(BackgroundRpcDriver, own)
    }
    assert set(verdicts.values()) == {Verdict.PASS}
    assert len(verdicts) == 8
