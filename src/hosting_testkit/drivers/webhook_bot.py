"""Driver of bots whose platform posts signed events and is answered by calls to its API."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from .http_json import JsonDriver
from .turn import Inbound, Turn, json_body
from .wire import Out, PlatformCall, Wire


class WebhookBotDriver(JsonDriver):
    """A chat bot behind a webhook. What people see is read from the calls that the platform took.

    Each event gets a delivery id of its own unless the turn brings one.
    """

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    @abstractmethod
    def update(self, turn: Turn, delivery_id: str) -> Mapping[str, Any]:
        """The platform's event for a turn."""

    @abstractmethod
    def call(self, call: PlatformCall) -> Sequence[Out]:
        """What one call to the platform shows to people."""

    def events(self) -> Mapping[str, Mapping[str, Any]]:
        """Events that are no turns, by name."""
        return {}

    def fresh_id(self) -> str:
        """A delivery id that was not used before in this item."""
        return str(9_000_000 + next(self._ids))

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        """The event, with the turn's delivery id or a fresh one."""
        return self.update(turn, turn.delivery_id or self.fresh_id())

    def outbound(self, wire: Wire) -> Sequence[Out]:
        """The calls that the platform took, in order."""
        return [out for call in wire.calls if call.status < 300 for out in self.call(call)]

    def non_turns(self) -> Mapping[str, Inbound]:
        """`events`, signed."""
        return {name: self.post(json_body(event)) for name, event in self.events().items()}
