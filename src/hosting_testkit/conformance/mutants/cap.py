"""Dishonest drivers, and a channel that does not listen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hosting import Channel, HostedRunResult

from ...drivers import SUPPORTED, Env, Out, Text, Wire
from ...targets.scripted import Scripted
from ..reference import RpcChannel, RpcDriver
from .model import mutant


@mutant("liar-driver", kills={"HC-CAP-001": "the decoder reads a replayed wire"}, answers=False)
class LiarDriver(RpcDriver):
    """Finds out what the target is going to say, instead of reading the wire."""

    def make(self, env: Env) -> Channel:
        self.made: Any = super().make(env)
        return self.made

    def outbound(self, wire: Wire) -> Sequence[Out]:
        return [Text(str(text)) for text in _script(self.made.context)]


def _script(host: Any) -> Sequence[Any]:
    """The script of the target, behind what wraps it; these are nobody's business."""
    thing = host._services.target._agent
    while not isinstance(thing, Scripted):
        thing = thing.target
    return vars(thing)["_turns"][0]


@mutant("canned-reply", kills={"HC-CAP-001": "the answer on the wire"}, answers=False)
class CannedReply(RpcChannel):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return ["Thank you for your message."]


@mutant("false-advert", kills={"HC-CAP-003": "declared push works"})
class FalseAdvert(RpcDriver):
    capabilities = RpcDriver.capabilities.but(push=SUPPORTED)
