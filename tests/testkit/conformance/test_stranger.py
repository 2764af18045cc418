"""What the author of a channel has to write."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hosting import (
    Channel,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
)
from hosting.web import BearerTokens, resolve_auth
from hosting_testkit.conformance import check_channel
from hosting_testkit.drivers import (
    IMPOSSIBLE,
    NOT_IMPLEMENTED,
    SUPPORTED,
    Capabilities,
    Env,
    HttpJsonDriver,
    Out,
    Text,
    Turn,
    bearer,
)


class Ask:
    """A stranger's channel: JSON in, JSON out, nothing else."""

    def __init__(
        self,
        auth: Any,
        name: str = "ask",
        path: str = "/ask",
        run_hook: Any = None,
        response_hook: Any = None,
    ):
        self.name, self.path, self.run_hook, self.response_hook = name, path, run_hook, response_hook
        self.gate = resolve_auth(auth, channel=name)

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.context = context
        return ChannelContribution(routes=[Route("/", self.ask, methods=["POST"])])

    async def ask(self, request: Request) -> Response:
        caller = await self.gate(request)
        try:
            question = (await request.json())["question"]
        except (ValueError, KeyError, TypeError):
            return JSONResponse(
                {"error": {"message": "A JSON object with a question, please."}}, status_code=400
            )
        turn = ChannelRequest(channel=self.name, input=question, caller=caller)
        result = await self.context.run(turn, protocol_request=question)
        return JSONResponse({"answer": result.text})


ABSENT = (
    "websocket", "middleware", "root_routes", "signature", "jwt", "caller_options", "client_state", "approvals",
    "workflow", "outbound_urls", "attachments_in", "attachments_out", "input_limit",
)  # fmt: skip


class AskDriver(HttpJsonDriver):
    name = "ask"
    profile = "custom"
    contract = ">=2026.1,<2027"
    capabilities = Capabilities.of(
        "rpc",
        http=SUPPORTED,
        hooks=SUPPORTED,
        auth=SUPPORTED,
        **dict.fromkeys(
            ("streaming", "sse", "sequence_numbers", "cancel", "background", "retrieve", "resume"),
            NOT_IMPLEMENTED("one answer at a time"),
        ),
        **dict.fromkeys(
            ("sessions", "caller_sessions", "delivery_ids"), NOT_IMPLEMENTED("questions stand alone")
        ),
        **dict.fromkeys(ABSENT, IMPOSSIBLE("a question and an answer, no more")),
    )
    bad_credentials = ("missing", "wrong", "truncated", "wrong_scheme")

    def make(self, env: Env) -> Channel:
        return Ask(BearerTokens({env.secret(user): user for user in ("ann", "bob")}), **env.options)

    def payload(self, turn: Turn) -> Mapping[str, Any]:
        return {"question": turn.text}

    def credentials(self, credential: str, user: str, body: bytes) -> Mapping[str, str]:
        return bearer(credential, self.env.secret(user))

    def reply(self, body: Any) -> Sequence[Out]:
        return [Text(body["answer"])]

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Any]]:
        return [("auth", lambda: Ask({"token": env.secret("ann")}, **env.options))]


def test_a_strangers_driver_takes_under_forty_lines() -> None:
    assert len(inspect.getsource(AskDriver).splitlines()) < 40


def test_a_strangers_channel_is_judged_on_its_merits() -> None:
    report = check_channel(AskDriver, tier=0)
    report.raise_for_failures()
    assert report.ran >= 15


def test_what_a_stranger_did_not_think_of_is_found() -> None:
    report = check_channel(AskDriver, "HC-ERR-00[235]")
    assert {result.rule for result in report.bad} == {"HC-ERR-002", "HC-ERR-003", "HC-ERR-005"}
