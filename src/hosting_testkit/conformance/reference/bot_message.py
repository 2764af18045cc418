"""What the reference bot sends: pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Content

from hosting import Destination
from hosting.messaging import OutboundFile, handle_of

YES, NO = "yes:", "no:"


def place_of(destination: Destination) -> dict[str, Any]:
    """The parameters that say where a message goes."""
    place = {"chat": destination.conversation_id, "thread": destination.thread_id}
    return {name: value for name, value in place.items() if value is not None}


def file_params(file: OutboundFile) -> dict[str, Any]:
    """The parameters of a file."""
    data = base64.b64encode(file.content).decode()
    return {"name": file.name, "media_type": file.media_type, "data": data}


def question(request: Content) -> tuple[str, Sequence[Sequence[Mapping[str, str]]]]:
    """A request for approval, and its buttons."""
    call = request.function_call
    handle = handle_of(str(request.id))
    buttons = [{"text": "Yes", "data": YES + handle}, {"text": "No", "data": NO + handle}]
    return f"Allow {(call and call.name) or 'this'}?", [buttons]


def pressed(data: str) -> tuple[str, bool] | None:
    """The handle of the request that a button answers, and the answer; None for a button that is not ours."""
    for prefix, approved in ((YES, True), (NO, False)):
        if data.startswith(prefix):
            return data.removeprefix(prefix), approved
    return None
