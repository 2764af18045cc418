"""Channels that resume a stream at the wrong place, or with the wrong words."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from hosting import Caller, LoggedUpdates

from ..reference import BackgroundRpcChannel
from .model import mutant


@mutant("resume-all", kills={"HC-STREAM-017": "numbers of the two parts, beside those of the whole: FAILED"})
class ResumeAll(BackgroundRpcChannel):
    async def read_on(self, caller: Caller, response_id: str, after: int = -1) -> AsyncGenerator[bytes]:
        return await super().read_on(caller, response_id)


@mutant(
    "resumes-from-now",
    defect="lets those who come back listen from now on, without what they missed",
    kills={"HC-STREAM-017": "what was missed comes at once: FAILED"},
)
class ResumesFromNow(BackgroundRpcChannel):
    async def logged(
        self, entries: AsyncGenerator[LoggedUpdates], caller: Caller, response_id: str, after: int
    ) -> AsyncGenerator[bytes]:
        clock = self.context.time_source
        begun = clock.monotonic()
        async for frame in super().logged(entries, caller, response_id, after):
            if after < 0 or clock.monotonic() > begun:
                yield frame


@mutant(
    "resumes-at-the-end",
    defect="lets those who come back wait until the run has ended, and then replays",
    kills={"HC-STREAM-017": "what is said now comes at once: FAILED"},
)
class ResumesAtTheEnd(BackgroundRpcChannel):
    async def read_on(self, caller: Caller, response_id: str, after: int = -1) -> AsyncGenerator[bytes]:
        if after >= 0:
            await self.context.wait_for_run(response_id, caller=caller)
        return await super().read_on(caller, response_id, after)


@mutant(
    "resumed-end-is-bare",
    defect="ends a resumed stream without the answer that ends all others",
    kills={"HC-STREAM-017": "what the two parts say, beside the whole: FAILED"},
)
class ResumedEndIsBare(BackgroundRpcChannel):
    async def logged(
        self, entries: AsyncGenerator[LoggedUpdates], caller: Caller, response_id: str, after: int
    ) -> AsyncGenerator[bytes]:
        async for frame in super().logged(entries, caller, response_id, after):
            if after >= 0 and frame.startswith(b"event: done"):
                status = (await self.kept.current(caller, response_id))["status"]
                yield self.frame("done", {"id": response_id, "status": status, "items": []})
            else:
                yield frame
