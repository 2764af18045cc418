"""A background run's request as JSON, as the run hook left it: never pickle, never a provider's raw object (contract 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import msgspec
from agent_framework import FunctionTool

from ..envelope import Caller, ChannelIdentity, ChannelRequest, ChannelSession, ResponseTarget
from ..errors import UnprocessableInput
from ..serialization import UnregisteredType, from_json, to_json

_OWN = {"caller", "session", "identity", "response_target", "client_tools"}
_FREE = [item.name for item in fields(ChannelRequest) if item.name not in _OWN]


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """What a run needs to begin, on any host and at any time.

    Args:
        request: The request as the run hook left it.
        person: The isolation key of who asked, as it was resolved.
        name: Isolation key and key of the session; None for a run without one.
    """

    request: ChannelRequest
    person: str | None
    name: tuple[str, str] | None


def encode_request(kept: KeptRequest) -> str:
    """`kept` as JSON text.

    Raises:
        UnprocessableInput: It holds a value of a type that was not registered (422).
    """
    request = kept.request
    try:
        free = {name: to_json(_plain(getattr(request, name))) for name in _FREE}
        body = {
            "free": free,
            "caller": _caller(request.caller),
            "session": _session(request.session),
            "identity": _identity(request.identity),
            "target": request.response_target.kind,
            "tools": [_tool(tool) for tool in request.client_tools],
            "person": kept.person,
            "name": kept.name,
        }
    except UnregisteredType as error:
        raise UnprocessableInput(
            f"A background run is kept as JSON, and this request holds what is not: {error}"
        ) from None
    return msgspec.json.encode(body).decode()


def decode_request(text: str) -> KeptRequest:
    """What `encode_request` wrote."""
    body = msgspec.json.decode(text)
    free = {name: from_json(value) for name, value in body["free"].items()}
    caller, session, identity = body["caller"], body["session"], body["identity"]
    request = ChannelRequest(
        **free,
        caller=Caller(caller[0], claims=caller[1]) if caller else None,
        session=_read_session(session) if session else None,
        identity=ChannelIdentity(identity[0], identity[1], attributes=identity[2]) if identity else None,
        response_target=ResponseTarget(kind=body["target"]),
        client_tools=[_read_tool(tool) for tool in body["tools"]],
    )
    return KeptRequest(request, body["person"], tuple(body["name"]) if body["name"] else None)


def _plain(value: Any) -> Any:
    """Read-only mappings and tuples as the JSON types that they stand for."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value


def _caller(caller: Caller | None) -> Any:
    return None if caller is None else [caller.id, _plain(caller.claims)]


def _identity(identity: ChannelIdentity | None) -> Any:
    return (
        None
        if identity is None
        else [identity.channel, identity.native_id, to_json(_plain(identity.attributes))]
    )


def _session(session: ChannelSession | None) -> Any:
    if session is None:
        return None
    return [
        session.isolation_key,
        session.key,
        session.conversation_id,
        session.parent_key,
        session.continue_for,
        to_json(_plain(session.attributes)),
    ]


def _read_session(data: list[Any]) -> ChannelSession:
    isolation_key, key, conversation_id, parent_key, continue_for, attributes = data
    return ChannelSession(
        isolation_key,
        key=key,
        conversation_id=conversation_id,
        parent_key=parent_key,
        continue_for=continue_for,
        attributes=from_json(attributes),
    )


def _tool(tool: Any) -> Any:
    """A caller's tool: a declaration, which the target may call and the caller runs."""
    if isinstance(tool, FunctionTool) and tool.func is None:
        return {"name": tool.name, "description": tool.description, "parameters": tool.parameters()}
    return {"as_is": to_json(_plain(tool))}


def _read_tool(data: dict[str, Any]) -> Any:
    if "as_is" in data:
        return from_json(data["as_is"])
    return FunctionTool(
        name=data["name"], description=data["description"], func=None, input_model=data["parameters"]
    )
