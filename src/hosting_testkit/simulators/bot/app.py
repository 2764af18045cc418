"""The bot API over HTTP: the token, the methods, the envelope of answers."""

from __future__ import annotations

import hmac
import inspect
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ...faults.app import Answer
from ...faults.fault import Reply
from ..parts.refusal import Refusal
from . import bot_methods, methods, wire
from .core import BotCore

Method = tuple[type[wire.Params], Callable[[BotCore, Any], Any | Awaitable[Any]]]

METHODS: dict[str, Method] = {
    "getMe": (wire.Nothing, bot_methods.get_me),
    "sendMessage": (wire.SendMessage, methods.send_message),
    "editMessage": (wire.EditMessage, methods.edit_message),
    "deleteMessage": (wire.DeleteMessage, methods.delete_message),
    "sendTyping": (wire.SendTyping, methods.send_typing),
    "sendFile": (wire.SendFile, methods.send_file),
    "getChat": (wire.ChatParam, methods.get_chat),
    "answerButton": (wire.AnswerButton, bot_methods.answer_button),
    "setCommands": (wire.SetCommands, bot_methods.set_commands),
    "getCommands": (wire.Nothing, bot_methods.get_commands),
    "getUpdates": (wire.GetUpdates, bot_methods.get_updates),
    "setWebhook": (wire.SetWebhook, bot_methods.set_webhook),
    "deleteWebhook": (wire.DeleteWebhook, bot_methods.delete_webhook),
    "getWebhook": (wire.Nothing, bot_methods.get_webhook),
}
"""The methods of the API by name."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the bot.

    Args:
        at: When, in epoch seconds.
        method: The method's name.
        params: Its parameters as they came; None if they were no JSON object.
        status: The HTTP status of the answer.
        code: The code of the refusal, if it was refused.
    """

    at: float
    method: str
    params: dict[str, Any] | None = field(repr=False)
    status: int = 200
    code: str | None = None


class BotApi:
    """`POST /bot/METHOD` and `GET /files/ID`, both with `Authorization: Bearer TOKEN`.

    Args:
        core: The platform's state.
        token: The bot's token.
        calls: Where calls are logged.
        changed: Called after each call, whatever came of it.

    Attributes:
        app: The ASGI app.
    """

    def __init__(self, core: BotCore, token: str, calls: list[Call], changed: Callable[[], None]) -> None:
        self._core = core
        self._token = token
        self._calls = calls
        self._changed = changed
        self.app = Starlette(
            routes=[
                Route("/bot/{method}", self._method, methods=["POST"]),
                Route("/files/{id}", self._download, methods=["GET"]),
            ]
        )

    async def _method(self, request: Request) -> Response:
        name, now = request.path_params["method"], self._core.clock.now
        params: dict[str, Any] | None = None
        try:
            raw = await request.body()
            params = _object(raw)
            _authorise(self._core, request, self._token)
            result = await _call(self._core, name, raw)
        except Refusal as refusal:
            self._calls.append(Call(now(), name, params, refusal.status, refusal.code))
            return _refused(refusal)
        except ClientDisconnect:
            return Response(status_code=499)
        finally:
            self._changed()
        self._calls.append(Call(now(), name, params))
        return _json(200, {"ok": True, "result": result})

    async def _download(self, request: Request) -> Response:
        try:
            _authorise(self._core, request, self._token)
            file = self._core.chats.file(request.path_params["id"])
            self._core.behaviours.refuse("unknown_file", "there is no such file", when=file is None)
        except Refusal as refusal:
            return _refused(refusal)
        return Response(file.data, media_type=file.media_type) if file else Response()


def render_reply(reply: Reply) -> Answer:
    """A fault's answer in the shape of this API."""
    body = reply.body
    if body is None:
        error = {"status": reply.status, "code": "fault", "message": "as the fault plan says"}
        body = {"ok": False, "error": error | _wait(reply.retry_after)}
    headers = [(b"content-type", b"application/json")]
    if reply.retry_after is not None:
        headers.append((b"retry-after", str(math.ceil(reply.retry_after)).encode()))
    return reply.status, headers, msgspec.json.encode(body)


async def _call(core: BotCore, name: str, raw: bytes) -> Any:
    refuse = core.behaviours.refuse
    refuse(
        "unknown_method", f"found {name!r}, expected one of {', '.join(METHODS)}", when=name not in METHODS
    )
    if name not in METHODS:
        return True
    kind, function = METHODS[name]
    try:
        params = msgspec.json.decode(raw or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        refuse("bad_request", str(error))
        return True
    result = function(core, params)
    return await result if inspect.isawaitable(result) else result


def _authorise(core: BotCore, request: Request, token: str) -> None:
    found, expected = request.headers.get("authorization", ""), f"Bearer {token}"
    wrong = not hmac.compare_digest(found.encode(), expected.encode())
    core.behaviours.refuse("unauthorised", "the token is missing or wrong", when=wrong)


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(raw or b"{}", type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _refused(refusal: Refusal) -> Response:
    error = {"status": refusal.status, "code": refusal.code, "message": str(refusal)}
    answer = _json(refusal.status, {"ok": False, "error": error | _wait(refusal.retry_after)})
    if refusal.retry_after is not None:
        answer.headers["retry-after"] = str(math.ceil(refusal.retry_after))
    return answer


def _wait(retry_after: float | None) -> dict[str, int]:
    return {} if retry_after is None else {"retry_after": math.ceil(retry_after)}


def _json(status: int, value: Any) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
