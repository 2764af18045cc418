"""Channels that know what they asked only as long as their process lives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_framework import Content

from hosting import (
    ChannelRequest,
    Destination,
    HostedRunResult,
    InboundEvent,
    OnCommit,
    PushContext,
    PushReceipt,
    StateWrite,
    TurnEnd,
)
from hosting.messaging import handle_of

from ..reference import BotChannel
from ..reference.bot_message import pressed
from ..reference.bot_update import Ignored, Press, read_update
from .model import mutant


class _Noting(BotChannel):
    """Notes each request that is shown, by its handle, with the place where."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.shown: dict[str, tuple[Content, str | None]] = {}

    def asked(self, request: ChannelRequest) -> OnCommit:
        records = super().asked(request)

        def noted(end: TurnEnd, /) -> Sequence[StateWrite]:
            for one in end.result.requests if end.result else ():
                self.shown[handle_of(str(one.id))] = one, request.conversation_id
            return records(end)

        return noted

    def pressed_handle(self, event: InboundEvent) -> str | None:
        update = read_update(event.payload)
        press = None if isinstance(update, Ignored) else update.press
        found = pressed(press.data) if press else None
        return found[0] if found else None


@mutant("approval-in-memory", kills={"HC-APPR-004": "payments, answered on another replica: FAILED"})
class ApprovalInMemory(_Noting):
    async def answer_of(self, press: Press) -> Content | None:
        found = pressed(press.data)
        if found is None or found[0] not in self.shown:
            return None
        return await super().answer_of(press)


@mutant(
    "approval-reply-lost",
    kills={"HC-APPR-004": "where the reply goes, answered on another replica: FAILED"},
)
class ApprovalReplyLost(_Noting):
    """Answers a request that it does not remember in private."""

    def request(self, event: InboundEvent) -> ChannelRequest:
        request, handle = super().request(event), self.pressed_handle(event)
        if handle is None or handle in self.shown or event.native_id is None:
            return request
        return request.replace(conversation_id=f"c_{event.native_id.removeprefix('u_')}")


@mutant("approval-reply-lost", kills={"HC-APPR-004": "the reply, answered on another replica: FAILED"})
class ApprovalReplyDropped(_Noting):
    """Keeps its answer to a request that it does not remember to itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.nowhere: set[str | None] = set()

    async def process(self, event: InboundEvent, /) -> None:
        handle = self.pressed_handle(event)
        if handle is not None and handle not in self.shown:
            self.nowhere.add(event.conversation_id)
        await super().process(event)

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        if destination.conversation_id in self.nowhere:
            return PushReceipt(status="dead", detail="nobody knows where it was asked")
        return await super().push(destination, payload, context=context)
