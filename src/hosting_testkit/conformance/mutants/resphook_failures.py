"""Channels that make the wrong thing of a response hook which raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import AgentResponse, Message

from hosting import ChannelRequest, ChannelResponseContext, HostedRunResult, RunFailed, as_response
from hosting.messaging import text_items

from ..reference import RpcChannel
from .model import mutant
from .resphook import BetweenHookAndHost


class _Catching(BetweenHookAndHost):
    """Says something of its own where the hook raises."""

    def wrapped(self, result: HostedRunResult[Any], *, context: ChannelResponseContext) -> Any:
        try:
            return super().wrapped(result, context=context)
        except Exception as error:
            said: AgentResponse[Any] = AgentResponse(messages=[Message("assistant", self.instead(error))])
            return result.replace(result=said)

    def instead(self, error: Exception) -> list[str]:
        raise NotImplementedError


@mutant(
    "resphook-failure-saved",
    defect="keeps a turn whose response hook failed, and says that something went wrong",
    kills={"HC-RESPHOOK-004": "one-shot: the next turn: FAILED"},
)
class ResponseHookFailureSaved(_Catching):
    def instead(self, error: Exception) -> list[str]:
        return ["Something went wrong."]


@mutant(
    "resphook-failure-empty",
    defect="answers a turn whose response hook failed with nothing",
    kills={"HC-RESPHOOK-004": "one-shot: something is told: FAILED"},
)
class ResponseHookFailureEmpty(_Catching):
    def instead(self, error: Exception) -> list[str]:
        return []


@mutant(
    "resphook-error-told",
    defect="puts the text of the hook's error into the answer",
    kills={"HC-RESPHOOK-004": "one-shot: the error's text stays inside: FAILED"},
)
class ResponseHookErrorTold(_Catching):
    def instead(self, error: Exception) -> list[str]:
        return [f"Something went wrong: {error}"]


@mutant(
    "resphook-reruns",
    defect="runs the target again when the response hook fails",
    kills={"HC-RESPHOOK-004": "one-shot: runs: FAILED"},
)
class ResponseHookReruns(RpcChannel):
    async def run(self, turn: ChannelRequest, body: Mapping[str, Any]) -> HostedRunResult[Any]:
        try:
            return await super().run(turn, body)
        except RunFailed:
            return await super().run(turn, body)


@mutant(
    "resphook-not-in-the-end",
    defect="lists the target's own text in the end of a stream",
    kills={"HC-RESPHOOK-002": "the texts in the streamed end: FAILED"},
)
class ResponseHookNotInTheEnd(BetweenHookAndHost):
    own: Sequence[str] = ()

    def wrapped(self, result: HostedRunResult[Any], *, context: ChannelResponseContext) -> Any:
        self.own = text_items(as_response(result.result))
        return super().wrapped(result, context=context)

    def done(self, result: HostedRunResult[Any], items: Sequence[str]) -> bytes:
        return super().done(result, self.own or items)
