"""The public types as an author of a channel or an app meets them. Never run: `make check` reads it."""

from typing import Any, assert_type

from agent_framework import AgentResponse
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hosting import (
    AgentFrameworkHost,
    Channel,
    ChannelContext,
    ChannelContribution,
    ChannelIngress,
    ChannelPush,
    ChannelRequest,
    ChannelRunHook,
    Destination,
    HostedRunResult,
    InboundEvent,
    PushContext,
    PushReceipt,
)


class ApiChannel:
    """The least that is a channel: plain attributes stand for the protocol's properties."""

    name = "api"
    path = "/api"

    def contribute(self, context: ChannelContext) -> ChannelContribution:
        async def answer(request: Request) -> JSONResponse:
            result = await context.run(ChannelRequest(channel=self.name, input=await request.json()))
            assert_type(result.text, str)
            return JSONResponse({"answer": result.text})

        return ChannelContribution(routes=[Route("/", answer, methods=["POST"])])


class BotChannel(ApiChannel):
    """A platform channel: it takes events and delivers without an open request."""

    async def process(self, event: InboundEvent) -> None: ...

    async def push(
        self, destination: Destination, payload: HostedRunResult[Any], *, context: PushContext
    ) -> PushReceipt:
        raise NotImplementedError


def needs_no_base_class() -> tuple[Channel, ChannelIngress, ChannelPush]:
    bot = BotChannel()
    return bot, bot, bot


def a_copy_keeps_its_type(request: ChannelRequest, result: HostedRunResult[AgentResponse]) -> None:
    assert_type(request.replace(stream=True), ChannelRequest)
    assert_type(result.replace(status="incomplete"), HostedRunResult[AgentResponse])
    assert_type(result.result, AgentResponse)


def hooks_may_wait_or_not() -> list[ChannelRunHook]:
    def at_once(request: ChannelRequest, *, target: Any, protocol_request: Any) -> ChannelRequest:
        return request

    async def later(request: ChannelRequest, *, target: Any, protocol_request: Any) -> ChannelRequest:
        return request

    return [at_once, later]


def a_host_takes_channels_of_any_class(agent: object) -> AgentFrameworkHost:
    return AgentFrameworkHost(agent, channels=[ApiChannel(), BotChannel()])


def misuse_is_seen(request: ChannelRequest) -> None:
    request.stream = True  # pyright: ignore[reportAttributeAccessIssue]  # envelopes are frozen
    ChannelRequest("api")  # pyright: ignore[reportCallIssue]  # envelopes are keyword-only
