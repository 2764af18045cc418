"""What somebody would write without a host: one Starlette route that runs the target and answers in Responses shape.

It keeps sessions in a dictionary and nothing else: no store, no limits, no locks, no authentication, no idempotency.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator
from typing import Any

from agent_framework import AgentSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from hosting_testkit.targets import Echo

_agent = Echo()
_sessions: dict[str, AgentSession] = {}


async def _create(request: Request) -> Response:
    body = json.loads(await request.body())
    session = _session(body.get("conversation"))
    if body.get("stream"):
        return StreamingResponse(_events(body, session), media_type="text/event-stream")
    answer = await _agent.run(body["input"], session=session)
    response = _response(body, "completed", [_message(answer.text)])
    return Response(json.dumps(response), media_type="application/json")


async def _events(body: dict[str, Any], session: AgentSession | None) -> AsyncGenerator[str, None]:
    response = _response(body, "in_progress", [])
    message = _message("")
    item_id: str = message["id"]
    where = {"item_id": item_id, "output_index": 0, "content_index": 0}
    yield _event("response.created", 0, response=response)
    yield _event("response.in_progress", 1, response=response)
    yield _event("response.output_item.added", 2, output_index=0, item={**message, "content": []})
    yield _event("response.content_part.added", 3, **where, part=message["content"][0])
    number, pieces = 4, list[str]()
    async for update in _agent.run(body["input"], stream=True, session=session):
        pieces.append(update.text)
        yield _event("response.output_text.delta", number, **where, delta=update.text, logprobs=[])
        number += 1
    text = "".join(pieces)
    message = {**_message(text), "id": item_id}
    yield _event("response.output_text.done", number, **where, text=text, logprobs=[])
    yield _event("response.content_part.done", number + 1, **where, part=message["content"][0])
    yield _event("response.output_item.done", number + 2, output_index=0, item=message)
    response = {**response, "status": "completed", "output": [message]}
    yield _event("response.completed", number + 3, response=response)
    yield "data: [DONE]\n\n"


def _event(kind: str, number: int, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **fields})}\n\n"


def _session(conversation: str | None) -> AgentSession | None:
    if conversation is None:
        return None
    session = _sessions.get(conversation)
    if session is None:
        session = _sessions[conversation] = _agent.create_session(session_id=conversation)
    return session


def _message(text: str) -> dict[str, Any]:
    return {
        "type": "message",
        "id": f"msg_{secrets.token_hex(24)}",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }


def _response(body: dict[str, Any], status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    """The fields that the official client's type requires, and those that callers look at."""
    return {
        "id": f"resp_{secrets.token_hex(24)}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": body.get("model", "echo"),
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
    }


app = Starlette(routes=[Route("/responses", _create, methods=["POST"])])
