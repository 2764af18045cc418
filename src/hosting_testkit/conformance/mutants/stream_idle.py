"""Channels whose streams are silent, or too chatty, while the target thinks."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from hosting.web import StreamingAnswer

from ..reference import RpcChannel
from .model import mutant


@mutant("no-heartbeat", kills={"HC-STREAM-014": "something comes in each 10 s of a silence: FAILED"})
class NoHeartbeat(RpcChannel):
    def streamed(self, frames: AsyncGenerator[bytes]) -> StreamingAnswer:
        limits = self.context.limits
        return StreamingAnswer(
            frames, write_timeout=limits.write_timeout, keepalive=None, logger=self.context.logger
        )


@mutant("heartbeat-as-event", kills={"HC-STREAM-014": "what a client makes of it: FAILED"})
class HeartbeatAsEvent(RpcChannel):
    def streamed(self, frames: AsyncGenerator[bytes]) -> StreamingAnswer:
        limits = self.context.limits
        return StreamingAnswer(
            frames,
            write_timeout=limits.write_timeout,
            keepalive=limits.keepalive,
            keepalive_frame=self.frame("delta", {"item": 0, "text": ""}),
            logger=self.context.logger,
        )
