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


class AskDriver(HttpJsonDriver):
    name = "ask"
    capabilities = Capabilities(
        http=SUPPORTED,
        hooks=SUPPORTED,
        auth=SUPPORTED,
        streaming=NOT_IMPLEMENTED("one answer at a time"),
        sessions=NOT_IMPLEMENTED("every question stands alone"),
        reset=IMPOSSIBLE("no sessions"),
        events=IMPOSSIBLE("every request is a question"),
        delivery_ids=NOT_IMPLEMENTED("no idempotency key"),
        push=IMPOSSIBLE("request and response"),
        text_limit=IMPOSSIBLE("none"),
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
    report = check_channel(AskDriver)
    report.raise_for_failures()
    assert report.ran == 15
