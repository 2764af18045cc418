"""Dishonest drivers, and a channel that does not listen."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

from hosting import HostedRunResult

from ...drivers import SUPPORTED, Out, Text, Wire
from ...targets.scripted import Scripted
from ..reference import RpcChannel, RpcDriver
from .model import mutant


@mutant("liar-driver", kills={"HC-CAP-001": "the decoder reads a replayed wire"}, answers=False)
class LiarDriver(RpcDriver):
    """Finds out what the target is going to say, instead of reading the wire."""

    def outbound(self, wire: Wire) -> Sequence[Out]:
        said = [
            script
            for item in gc.get_objects()
            if type(item) is Scripted
            for script in vars(item)["_turns"][0]
        ]
        return [Text(str(text)) for text in said[-1:]]


@mutant("canned-reply", kills={"HC-CAP-001": "the answer on the wire"}, answers=False)
class CannedReply(RpcChannel):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return ["Thank you for your message."]


@mutant("false-advert", kills={"HC-CAP-003": "declared push works"})
class FalseAdvert(RpcDriver):
    capabilities = RpcDriver.capabilities.but(push=SUPPORTED)
