"""Channels that answer wrongly where they have no route, or none for the method."""

from __future__ import annotations

from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hosting import ChannelContext, ChannelContribution, UnknownReference
from hosting.web import JsonAnswer

from ..reference import RpcChannel
from .model import mutant

_OTHERS = ["GET", "PUT", "PATCH", "DELETE"]


@mutant(
    "late-404",
    defect="runs a turn at any address, and looks only afterwards whether there is one",
    kills={"HC-ROUTE-004": "runs of an unknown path: FAILED"},
)
class LateNotFound(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        return replace(inside, routes=[*inside.routes, Route("/{rest:path}", self.lost, methods=["POST"])])

    async def lost(self, request: Request) -> JsonAnswer:
        await self.handle(request)
        raise UnknownReference("There is nothing at this address.")


class _OtherMethods(RpcChannel):
    """Answers the other methods by itself."""

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        return replace(inside, routes=[*inside.routes, Route("/", self.other, methods=_OTHERS)])

    async def other(self, request: Request) -> PlainTextResponse:
        raise NotImplementedError


@mutant(
    "any-method-greets",
    defect="answers every other method with a page that says what this is",
    kills={"HC-ROUTE-005": "methods that are refused with 405: FAILED"},
)
class GreetsAnyMethod(_OtherMethods):
    async def other(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("This is a channel. Send POST.")


@mutant(
    "405-without-allow",
    defect="refuses other methods without saying which one is allowed",
    kills={"HC-ROUTE-005": "Allow after GET: FAILED"},
)
class RefusesWithoutAllow(_OtherMethods):
    async def other(self, request: Request) -> PlainTextResponse:
        raise HTTPException(405)


@mutant(
    "own-405",
    defect="refuses other methods in plain text",
    kills={"HC-ROUTE-005": "form of the 405 of GET: FAILED"},
)
class OwnMethodNotAllowed(_OtherMethods):
    async def other(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("Method Not Allowed", 405, headers={"allow": "POST"})
