"""Channels that lose track of a workflow's outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hosting import ChannelRequest, HostedRunResult

from ..reference import RpcChannel
from .model import mutant


@mutant(
    "newest-output-first",
    defect="shows the newest output first",
    kills={"HC-WF-001": "the order of the outputs: FAILED"},
)
class NewestOutputFirst(RpcChannel):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return super().items(result)[::-1]


@mutant(
    "wf-end-per-output",
    defect="ends the stream once for each output",
    kills={"HC-WF-003": "ends of the stream: FAILED"},
)
class EndPerOutput(RpcChannel):
    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        return super().done(result, items) * len(items)


class _Together(RpcChannel):
    """Keeps what runs give until nothing runs any more."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.running = 0
        self.outputs: list[str] = []

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        if not self.running:
            self.outputs = []
        self.running += 1
        try:
            result = await super().run(turn, body)
        finally:
            self.running -= 1
        self.outputs += super().items(result)
        return result


@mutant(
    "wf-outputs-first",
    defect="gives everybody who waits the first output that comes",
    kills={"HC-WF-005": "the second person's answer: FAILED"},
)
class FirstOutputForAll(_Together):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return self.outputs[:1]


@mutant(
    "wf-outputs-pooled",
    defect="collects the outputs of all runs in one place",
    kills={"HC-WF-005": "both answers: FAILED"},
)
class OutputsPooled(_Together):
    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        return list(self.outputs)
