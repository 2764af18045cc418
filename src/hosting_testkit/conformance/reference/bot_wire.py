"""How the drivers of the reference bots speak their platform's language: updates in, calls out. No part of a channel."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from ...drivers import File, Out, PlatformAnswer, PlatformCall, Removed, Text, Turn, json_body
from ...simulators import BotPlatform
from ...simulators.bot import Chat
from ...simulators.parts import parse_markup

_NAMES = {"mention": ("helper", "u_bot"), "other": ("bob", "u_bob"), "lookalike": ("helper2", "u_helper2")}
_AUTHORS = {"self": {"id": "u_bot", "name": "helper", "bot": True}, "bot": {"id": "u_clank", "bot": True}}


def update_of(sim: BotPlatform, turn: Turn, update_id: str) -> dict[str, Any]:
    """The update that tells of a turn; the platform knows its people, its chat and its thread."""
    chat = chat_of(sim, turn)
    text, entities = _text(turn)
    message: dict[str, Any] = {
        "id": crc32(update_id.encode()),  # its own, and the same when the update comes again
        "chat": {"id": chat.id, "kind": chat.kind, "title": chat.title},
        "text": text,
        "entities": entities,
    }
    if turn.user:
        message["from"] = _author(sim, turn)
    if turn.thread is not None:
        chat.threads.setdefault(turn.thread, turn.thread)
        message["thread"] = turn.thread
    if turn.group and turn.addressed == "reply":
        message["reply_to"] = {
            **message,
            "id": 0,
            "from": _AUTHORS["self"],
            "text": "said before",
            "entities": [],
        }
    if turn.attachments:
        message["file"] = _file(sim, turn)
    return {"id": update_id, "kind": "message", "message": message}


def press_of(update: Mapping[str, Any], data: str) -> dict[str, Any]:
    """The update that tells of a pressed button, by the author and in the place of `update`."""
    message = update["message"]
    press = {"id": f"press_{update['id']}", "data": data, "from": message.get("from"), "message": message}
    return {"id": update["id"], "kind": "button", "press": press}


def others_of(update: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Updates that are no turns, by name; one of a kind that does not exist."""
    kinds = {
        "edit": "message_edited",
        "join": "member_joined",
        "leave": "member_left",
        "block": "bot_blocked",
        "receipt": "message_read",
        "reaction": "reaction",
        "kind-of-next-year": "kind-of-next-year",
    }
    return {name: {**update, "kind": kind} for name, kind in kinds.items()}


def shown_by(call: PlatformCall) -> Sequence[Out]:
    """What a call that the platform took shows to people, or takes away."""
    if call.method != "POST":
        return []
    params = call.json
    to = params.get("chat", "")[2:]
    match call.path.rpartition("/")[2]:
        case "sendMessage":
            item = f"{to}/{call.result['result']['id']}"
            return [Text(_visible(params), item, to, params.get("thread"), _mentioned(params))]
        case "editMessage":
            thread = call.result["result"].get("thread")
            return [Text(_visible(params), f"{to}/{params['message']}", to, thread, _mentioned(params))]
        case "deleteMessage":
            return [Removed(f"{to}/{params['message']}")]
        case "sendFile":
            content = b64decode(params["data"])
            return [File(content, params["media_type"], params["name"], to=to, thread=params.get("thread"))]
        case _:
            return []


def refusal(status: int, code: str, *, wait: float | None = None) -> PlatformAnswer:
    """The platform's no, in its own shape."""
    error = {"status": status, "code": code, "message": code}
    headers = {} if wait is None else {"retry-after": str(round(wait))}
    body = json_body({"ok": False, "error": error})
    return PlatformAnswer(status=status, headers=headers, body=body)


def chat_of(sim: BotPlatform, turn: Turn) -> Chat:
    """The chat of a turn, made on first use."""
    if turn.group:
        return sim.group(turn.conversation or "team", [turn.user]).chat
    chat = sim.person(turn.conversation or turn.user).chat
    chat.started = True
    return chat


def _author(sim: BotPlatform, turn: Turn) -> Mapping[str, Any]:
    if turn.author != "person":
        return {"name": turn.author, **_AUTHORS[turn.author]}
    return {"id": sim.person(turn.user).id, "name": turn.display or turn.user, "bot": False}


def _text(turn: Turn) -> tuple[str, list[dict[str, Any]]]:
    """What is written, a command spelt out, and the platform's marks for whom it is meant."""
    said = _said(turn)
    if not turn.group or turn.addressed not in _NAMES or turn.form in ("own_name", "other_bot"):
        return said, []
    name, person = _NAMES[turn.addressed]
    before, behind = _around_mention(said, turn.mention)
    offset = len(before.encode("utf-16-le", "surrogatepass")) // 2
    mention = {"type": "mention", "offset": offset, "length": len(name) + 1, "person": person}
    return f"{before}@{name}{behind}", [mention]


def _around_mention(said: str, where: str) -> tuple[str, str]:
    """What is written before a mention, and behind it."""
    if where == "first":
        return "", f" {said}"
    first, _, rest = said.partition(" ")
    return (f"{first} ", f" {rest}") if where == "inside" else (f"{said} ", "")


def _said(turn: Turn) -> str:
    name = "new" if turn.reset else turn.command
    if name is None:
        return turn.text
    whose = {"own_name": "@helper", "other_bot": "@other_bot"}.get(turn.form, "")
    command = f"/{name.upper() if turn.form == 'upper' else name}{whose}"
    return command if turn.reset or not turn.text else f"{command} {turn.text}"


def _file(sim: BotPlatform, turn: Turn) -> dict[str, Any]:
    sent = turn.attachments[0]
    file = sim.person(turn.user).sends_file(sent.name, sent.content, media_type=sent.media_type).file
    assert file is not None
    return {"id": file.id, "name": file.name, "media_type": file.media_type, "size": len(file.data)}


def _visible(params: Mapping[str, Any]) -> str:
    text: str = params["text"]
    return parse_markup(text)[0] if params.get("format") == "markup" else text


def _mentioned(params: Mapping[str, Any]) -> Sequence[str]:
    return [entity["person"] for entity in params.get("entities", ()) if entity["type"] == "mention"]
