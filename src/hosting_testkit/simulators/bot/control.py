"""The control of a platform over HTTP, for bots and tests in another process or language. Loopback only: it is open."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from ...faults.plan import FaultPlan
from ...transports.asgi import ASGIApp
from . import wire
from .chats import Chat, Message
from .people import Group
from .platform import BotPlatform


class Deed(msgspec.Struct, forbid_unknown_fields=True):
    """What a person does; `group` and `thread` are titles, `mention` is a name, `message` and `reply_to` are numbers."""

    does: str
    text: str = ""
    group: str | None = None
    thread: str | None = None
    mention: str | None = None
    reply_to: int | None = None
    message: int | None = None
    button: str = ""


class NewGroup(msgspec.Struct, forbid_unknown_fields=True):
    """A group to make or to add people to."""

    title: str
    members: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()


def controlled(sim: BotPlatform) -> ASGIApp:
    """An app that serves the platform, and its control below `/control`; its lifespan posts the updates.

    `POST /control/people/NAME` (a `Deed`), `POST /control/groups` (a `NewGroup`), `POST /control/faults` (a plan's
    JSON, whose rules are added), `GET /control/chats/NAME`, `/control/calls`, `/control/behaviours`.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with sim:
            yield

    control = [
        _route(
            "/people/{name}", lambda name, raw: _does(sim, name, msgspec.json.decode(raw, type=Deed)), "POST"
        ),
        _route("/groups", lambda _, raw: _group(sim, msgspec.json.decode(raw, type=NewGroup)), "POST"),
        _route(
            "/faults", lambda _, raw: sim.faults.rules.extend(FaultPlan.from_json(raw.decode()).rules), "POST"
        ),
        _route("/chats/{name}", lambda name, _: _chat(sim.chat(name)), "GET"),
        _route("/calls", lambda _, __: [asdict(call) for call in sim.calls], "GET"),
        _route("/behaviours", lambda _, __: _behaviours(sim), "GET"),
    ]
    return Starlette(routes=[Mount("/control", routes=control), Mount("/", app=sim.app)], lifespan=lifespan)


def _route(path: str, work: Callable[[str, bytes], Any], method: str) -> Route:
    async def answer(request: Request) -> Response:
        raw = await request.body()
        try:
            status, result = 200, work(request.path_params.get("name", ""), raw)
        except (ValueError, KeyError) as error:
            status, result = 400, {"error": str(error)}
        return Response(msgspec.json.encode(result), status, media_type="application/json")

    return Route(path, answer, methods=[method])


def _does(sim: BotPlatform, name: str, deed: Deed) -> Any:
    person, group = sim.person(name), sim.group(deed.group) if deed.group else None
    chat = group.chat if group else person.chat
    match deed.does:
        case "says":
            said = person.says(
                deed.text,
                in_=group,
                mention=sim.person(deed.mention) if deed.mention else None,
                reply_to=_message(chat, deed.reply_to) if deed.reply_to else None,
                thread=group.thread(deed.thread) if group and deed.thread else None,
            )
            return wire.message_json(said, chat)
        case "edits":
            return wire.message_json(person.edits(_message(chat, deed.message), deed.text), chat)
        case "deletes":
            return person.deletes(_message(chat, deed.message))
        case "presses":
            return {"press": person.presses(deed.button, in_=group).id}
        case "blocks" | "unblocks":
            return person.blocks() if deed.does == "blocks" else person.unblocks()
        case "joins" | "leaves" if group:
            return person.joins(group) if deed.does == "joins" else person.leaves(group)
        case _:
            raise ValueError(f"does: found {deed.does!r}, expected what a person can do there")


def _message(chat: Chat, number: int | None) -> Message:
    if found := chat.find(number or 0):
        return found
    raise ValueError(f"message: found {number}, expected one of {[message.id for message in chat.visible]}")


def _group(sim: BotPlatform, new: NewGroup) -> Any:
    group: Group = sim.group(new.title, new.members, admins=new.admins)
    return {"id": group.id}


def _chat(chat: Chat) -> list[dict[str, Any]]:
    return [wire.message_json(message, chat) for message in chat.visible]


def _behaviours(sim: BotPlatform) -> list[dict[str, Any]]:
    return [{**asdict(found), "provenance": str(found.provenance)} for found in sim.behaviours()]
