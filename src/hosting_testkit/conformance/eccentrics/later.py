"""Odd ways to run in the background."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from hosting import Caller, ChannelRequest, HostingError
from hosting.web import JsonAnswer

from ..reference import BackgroundRpcChannel, BackgroundRpcDriver
from ..reference.kept_answers import is_open
from .model import eccentric


class _HasEnded(HostingError):
    status = 409
    code = "has_ended"


@eccentric(
    "tickets",
    "calls a run by the time and 80 random bits, answers polls with 202 until it has ended, and then refuses to cancel it",
    base=BackgroundRpcDriver,
)
class Tickets(BackgroundRpcChannel):
    def parse(self, body: Mapping[str, Any], caller: Caller, headers: Mapping[str, str]) -> ChannelRequest:
        time = int(self.context.time_source.now() * 1000).to_bytes(6, "big")
        ticket = base64.b32encode(time + secrets.token_bytes(10)).decode().rstrip("=")
        return super().parse(body, caller, headers).replace(response_id=ticket)

    async def retrieve(self, request: Request) -> JsonAnswer:
        caller = await self.authenticate(request)
        answer = await self.kept.current(caller, request.path_params["id"])
        return JsonAnswer(msgspec.json.encode(answer), status=202 if is_open(answer) else 200)

    async def cancel(self, request: Request) -> JsonAnswer:
        caller = await self.authenticate(request)
        if not is_open(await self.kept.current(caller, request.path_params["id"])):
            raise _HasEnded("It has ended.")
        return await super().cancel(request)
