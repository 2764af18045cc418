"""Ids of invocations and sessions: where they come from, and how they get into every answer (protocols 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from hosting import IdSource

from .codec import is_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

INVOCATION_ID = "x-agent-invocation-id"
SESSION_ID = "x-agent-session-id"
SESSION_QUERY = "agent_session_id"
SESSION_VARIABLE = "FOUNDRY_AGENT_SESSION_ID"

_SCOPE_KEY = "hosting_invocations.ids"


@dataclass(slots=True, kw_only=True)
class AnswerIds:
    """The ids of one request, as its answer will carry them.

    Args:
        invocation: The invocation.
        session: The session; None where the address has none.
        given: Whether the caller chose the invocation's id, so that a repeat is a replay.
        body_may_name_session: Neither query nor header named one.
    """

    invocation: str
    session: str | None = None
    given: bool = False
    body_may_name_session: bool = False


def ids_of_post(request: Request, ids: IdSource, *, default_session: str | None) -> AnswerIds:
    """The ids of a new invocation. What is not an id is replaced without a word, as the protocol says."""
    invocation = request.headers.get(INVOCATION_ID, "")
    given = is_id(invocation)
    named = request.query_params.get(SESSION_QUERY) or request.headers.get(SESSION_ID)
    session = named or default_session or ""
    return AnswerIds(
        invocation=invocation if given else ids.new("inv"),
        session=session if is_id(session) else ids.new("session"),
        given=given,
        body_may_name_session=not named,
    )


def remember(request: Request, ids: AnswerIds) -> None:
    """Lets `AnswerHeaders` put the ids on the answer, whatever it will be."""
    request.scope[_SCOPE_KEY] = ids


class AnswerHeaders:
    """Middleware: puts the ids on every answer of the channel, errors and streams included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_ids(message: Message) -> None:
            ids: AnswerIds | None = scope.get(_SCOPE_KEY)
            if ids is not None and message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[INVOCATION_ID] = ids.invocation
                if ids.session is not None:
                    headers[SESSION_ID] = ids.session
            await send(message)

        await self._app(scope, receive, send_with_ids)
