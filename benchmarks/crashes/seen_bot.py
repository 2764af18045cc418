"""The reference bot that shows its answer as it comes, at a pace of ours (contract 4.5)."""

from __future__ import annotations

from hosting import Destination
from hosting_testkit.conformance.reference import EditBotChannel
from hosting_testkit.conformance.reference.draft import Draft


class SeenEditBot(EditBotChannel):
    """As its parent.

    Attributes:
        interval: Seconds between two changes of a message; None: the parent's.
    """

    interval: float | None = None

    def new_draft(self, place: Destination) -> Draft:
        draft = super().new_draft(place)
        draft.interval = draft.interval if self.interval is None else self.interval
        return draft
