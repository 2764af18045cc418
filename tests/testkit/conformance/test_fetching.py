"""The reference that fetches passes what is special about it, and what every channel must."""

from __future__ import annotations

import pytest

from hosting_testkit.conformance import Item, Selection, Verdict, items_of, run_item
from hosting_testkit.conformance.reference import FetchingRpcDriver

CHOSEN = Selection(patterns=["HC-SEC-*", "HC-LIFE-005", "HC-AUTH-006", "HC-AUTH-012", "HC-CAP-001"])


@pytest.mark.parametrize("item", list(items_of(FetchingRpcDriver, CHOSEN)), ids=lambda item: item.id)
def test_the_channel_that_fetches_passes(item: Item) -> None:
    result = run_item(FetchingRpcDriver, item)
    assert result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE), result.reason
