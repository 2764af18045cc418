"""Channels that handle what a person is asked wrongly."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Content

from hosting import (
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    HostedRunResult,
    OnCommit,
    StateWrite,
    TurnEnd,
    UnknownReference,
)
from hosting.messaging import OpenRequests

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Press
from .model import mutant


@mutant("approval-as-text", kills={"HC-APPR-001": "requests that the answer shows: FAILED"})
class ApprovalAsText(RpcChannel):
    def render(self, result: HostedRunResult[Any], items: Sequence[str]) -> dict[str, Any]:
        asked = [f"May I go on with {request.id}? Answer yes or no." for request in result.requests]
        shown = super().render(result, [*items, *asked])
        shown.pop("requests", None)
        return shown


@mutant("waits-for-human", kills={"HC-APPR-001": "did not end"})
class WaitsForHuman(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.answered = asyncio.Event()
        self.answered.set()

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        if not body.get("answers"):
            await self.answered.wait()
        result = await super().run(turn, body)
        if result.requests:
            self.answered.clear()
        return result


@mutant("approval-twice", kills={"HC-APPR-002": "times that the tool ran after a second answer: FAILED"})
class ApprovalTwice(RpcChannel):
    """Makes each press an answer of its own."""

    presses = itertools.count()

    async def with_answers(
        self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller
    ) -> ChannelRequest:
        turn = await super().with_answers(turn, body, caller)
        for message in turn.input if body.get("answers") else ():
            for content in message.contents:
                content.id = f"{content.id}-{next(self.presses)}"
        return turn


@mutant(
    "request-forgotten",
    defect="knows only what its last turn asked",
    kills={"HC-APPR-001": "times that the tool ran: FAILED"},
)
class RequestForgotten(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.last_asked: set[str | None] = set()

    async def with_answers(
        self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller
    ) -> ChannelRequest:
        if set(body.get("answers", ())) - self.last_asked:
            raise UnknownReference("No such request is open.")
        return await super().with_answers(turn, body, caller)

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        self.last_asked = {request.id for request in result.requests}
        return result


@mutant("anyone-approves", kills={"HC-APPR-003": "after another member's press: FAILED"})
class AnyoneApproves(BotChannel):
    def asked(self, request: ChannelRequest) -> OnCommit:
        def records(end: TurnEnd, /) -> Sequence[StateWrite]:
            return self.requests.writes("", end.result.requests) if end.result else ()

        return records

    async def answer_of(self, press: Press) -> Content | None:
        return await self.requests.answer("", press.data.partition(":")[2], approved=True)


@mutant("approval-never-expires", kills={"HC-APPR-003": "after an answer that came too late: FAILED"})
class ApprovalNeverExpires(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        contribution = super().contribute(context)
        self.requests = OpenRequests(context.state(), ttl=None)
        return contribution
