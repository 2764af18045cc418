"""Channels that handle the answer to a request, or what is said beside it, carelessly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hosting import Caller, ChannelRequest, HostedRunResult, HostingError, InboundEvent

from ..reference import BotChannel, RpcChannel
from ..reference.bot_update import Ignored
from .model import mutant


@mutant(
    "reminds-of-request",
    defect="adds a reminder to each answer while a request is open",
    kills={"HC-APPR-001": "another turn while the request is open: FAILED"},
)
class RemindsOfRequest(RpcChannel):
    reminder = ""

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        if result.requests:
            self.reminder = "You have not answered yet."
        elif body.get("answers"):
            self.reminder = ""
        return result

    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        said = super().items(result)
        return [*said, self.reminder] if self.reminder and not result.requests else said


@mutant(
    "answer-unheard",
    defect="shows nothing of what came of an answer",
    kills={"HC-APPR-001": "the answer is answered: FAILED"},
)
class AnswerUnheard(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        result = await super().run(turn, body)
        return HostedRunResult(None) if body.get("answers") else result


@mutant(
    "answer-queues",
    defect="queues a pressed button behind the turns that wait",
    kills={"HC-APPR-001": "runs, the answer ahead of the turn that waited: FAILED"},
)
class AnswerQueues(BotChannel):
    def parse(self, payload: Mapping[str, Any]) -> InboundEvent | Ignored:
        event = super().parse(payload)
        return event if isinstance(event, Ignored) else replace(event, bypass_lane=False)


@mutant(
    "repeats-outcome",
    defect="shows the outcome of the first press again at the second",
    kills={"HC-APPR-002": "the second answer says nothing was paid: FAILED"},
)
class RepeatsOutcome(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.outcomes: dict[str, HostedRunResult[Any]] = {}

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        pressed = " ".join(body.get("answers", ()))
        if pressed in self.outcomes:
            return self.outcomes[pressed]
        result = await super().run(turn, body)
        if pressed:
            self.outcomes[pressed] = result
        return result


@mutant(
    "approval-per-branch",
    defect="takes the same answer once in each branch of a conversation",
    kills={"HC-APPR-002": "times that the tool ran after an answer in another branch: FAILED"},
)
class ApprovalPerBranch(RpcChannel):
    async def with_answers(
        self, turn: ChannelRequest, body: Mapping[str, Any], caller: Caller
    ) -> ChannelRequest:
        turn = await super().with_answers(turn, body, caller)
        for message in turn.input if body.get("answers") and body.get("after") else ():
            for content in message.contents:
                content.id = f"{content.id}-{body['after']}"
        return turn


@mutant(
    "late-notice",
    defect="tells with the next answer that a press came too late",
    kills={"HC-APPR-002": "the next turn: FAILED"},
)
class LateNotice(RpcChannel):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.notices: list[str] = []

    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except HostingError as error:
            self.notices.append(error.message)
            raise

    def items(self, result: HostedRunResult[Any]) -> Sequence[str]:
        notices, self.notices = self.notices, []
        return [*notices, *super().items(result)]
