"""A turn's result as the store and the outbox keep it: JSON, without the provider's raw objects (contract 3.3)."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from agent_framework import AgentResponse, Message

from ..envelope import ChannelSession
from ..results import HostedRunResult, as_response
from ..sessions.history import replace_surrogates

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode_result(result: HostedRunResult[Any]) -> str:
    """`result` as JSON text."""
    session = result.session
    fields = {
        "status": result.status,
        "response_id": result.response_id,
        "turn_id": result.turn_id,
        "session": [session.isolation_key, session.key] if session else None,
        "client_state": result.client_state,
        "response": as_response(result.result).to_dict(exclude={"raw_representation"}),
    }
    try:
        return _encode(fields).decode()
    except UnicodeEncodeError:
        return _encode(replace_surrogates(fields)).decode()


def decode_result(text: str) -> HostedRunResult[AgentResponse[Any]]:
    """The result that `encode_result` wrote, its target result rendered as an `AgentResponse`."""
    fields = _decode(text)
    response = cast("AgentResponse[Any]", AgentResponse.from_dict(fields["response"]))
    session = fields["session"]
    return HostedRunResult(
        result=response,
        session=ChannelSession(session[0], key=session[1]) if session else None,
        response_id=fields["response_id"],
        turn_id=fields["turn_id"],
        status=fields["status"],
        requests=tuple(response.user_input_requests),
        client_state=fields["client_state"],
    )


def text_result(
    text: str, *, like: HostedRunResult[Any] | None = None
) -> HostedRunResult[AgentResponse[Any]]:
    """A result that says `text`: command replies, apologies."""
    response: AgentResponse[Any] = AgentResponse(messages=[Message("assistant", [text])])
    return HostedRunResult(response) if like is None else like.replace(result=response)
