"""Channels that take their process for the only one, and for immortal."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from hosting import (
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    HostingError,
    LoggedUpdates,
    UnknownReference,
)

from ..reference import BackgroundRpcChannel
from ..reference.kept_answers import Answer, is_open
from .model import mutant


class _AtHome(BackgroundRpcChannel):
    """Knows which runs were asked for in this process, and of all others in which."""

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.mine: set[str] = set()
        self.texts: dict[str, Any] = {}
        contribution = super().contribute(context)
        current = self.kept.current

        async def told(caller: Caller, response_id: str) -> Answer:
            return await self.told_of(caller, await current(caller, response_id))

        self.kept.current = told
        return contribution

    async def begin(self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller) -> Answer:
        self.mine.add(turn.response_id or "")
        await self.context.state().put(f"home/{turn.response_id}", self.context.host_id)
        return await super().begin(turn, body, caller)

    async def told_of(self, caller: Caller, answer: Answer) -> Answer:
        return answer

    async def home(self, answer: Answer) -> str:
        return await self.context.state().get(f"home/{answer['id']}") or self.context.host_id


@mutant("memory-only", kills={"HC-CONT-005": "the result after a restart: FAILED"})
class MemoryOnly(_AtHome):
    async def told_of(self, caller: Caller, answer: Answer) -> Answer:
        if answer["id"] not in self.mine:
            raise UnknownReference("There is no answer with this id.", param="id")
        return answer


@mutant(
    "asks-its-own-runs-only",
    defect="does not know the runs of other hosts as long as these live",
    kills={"HC-CONT-005": "runs of another host, as they are polled here: FAILED"},
)
class AsksItsOwnRunsOnly(_AtHome):
    async def told_of(self, caller: Caller, answer: Answer) -> Answer:
        home = await self.home(answer)
        if home != self.context.host_id and await self.context.host_lives(home):
            raise UnknownReference("There is no answer with this id.", param="id")
        return answer


@mutant(
    "cancels-at-home-only",
    defect="cancels what runs in its own process, and says so of everything else",
    kills={"HC-CONT-005": "the end of a run that was cancelled from another host: FAILED"},
)
class CancelsAtHomeOnly(_AtHome):
    async def end_run(self, caller: Caller, response_id: str) -> None:
        if response_id in self.mine:
            await super().end_run(caller, response_id)


@mutant(
    "texts-at-home-only",
    defect="keeps how a run ended in the store and what it said in memory",
    kills={"HC-CONT-005": "the result on another host: FAILED"},
)
class TextsAtHomeOnly(_AtHome):
    async def told_of(self, caller: Caller, answer: Answer) -> Answer:
        return answer if answer["id"] in self.mine else {**answer, "items": []}


@mutant(
    "reads-at-home-only",
    defect="gives those who read on another host the end without the events",
    kills={"HC-CONT-005": "the events on another host: FAILED"},
)
class ReadsAtHomeOnly(_AtHome):
    async def read_on(self, caller: Caller, response_id: str, after: int = -1) -> AsyncGenerator[bytes]:
        return await super().read_on(caller, response_id, after if response_id in self.mine else 10_000)


@mutant("bg-stuck", kills={"HC-CONT-006": "the end of a run that a restart cut off: FAILED"})
class BackgroundStuck(_AtHome):
    """Keeps what it saw last, and takes it back when it sees the end; nobody does who starts later."""

    async def told_of(self, caller: Caller, answer: Answer) -> Answer:
        seen, state = f"seen/{answer['id']}", self.context.state()
        if (last := await state.get(seen)) is not None:
            return {**answer, "status": last}
        if answer["status"] == "running":
            await state.put(seen, "running")
            self.context.spawn(self.until_its_end(caller, answer["id"]), name="watch")
        return answer

    async def until_its_end(self, caller: Caller, response_id: str) -> None:
        try:
            await self.context.wait_for_run(response_id, caller=caller)
        except HostingError:
            return
        await self.context.state().delete(f"seen/{response_id}")


@mutant(
    "stuck-with-its-host",
    defect="takes the runs of a host that is gone to be under way still",
    kills={"HC-CONT-006": "the end of a run whose host died: FAILED"},
)
class StuckWithItsHost(_AtHome):
    async def told_of(self, caller: Caller, answer: Answer) -> Answer:
        home = await self.home(answer)
        lives = home == self.context.host_id or await self.context.host_lives(home)
        return answer if lives else {**answer, "status": "running", "items": []}


@mutant(
    "breaks-off-before-a-failure",
    defect="ends the stream of a run that failed without a word",
    kills={"HC-CONT-006": "what the reader of a run is told whose host died: FAILED"},
)
class BreaksOffBeforeAFailure(BackgroundRpcChannel):
    async def logged(
        self, entries: AsyncGenerator[LoggedUpdates], caller: Caller, response_id: str, after: int
    ) -> AsyncGenerator[bytes]:
        async for frame in super().logged(entries, caller, response_id, after):
            answer = await self.kept.current(caller, response_id)
            if is_open(answer) or answer["status"] != "failed":
                yield frame
