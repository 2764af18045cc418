"""The routes of conversations and their items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from hosting import Caller, RequestError, UnknownReference
from hosting.web import Gate, JsonAnswer, read_json_object

from .codec import Item, encode, parse_input
from .codec.fields import sequence
from .codec.options import parse_metadata
from .paging import page_of
from .routes import MAX_BODY_BYTES

if TYPE_CHECKING:
    from starlette.requests import Request

    from .service import ResponseService

MAX_ITEMS = 20
"""Items that one request may add, as in the API."""


class ConversationRoutes:
    """The endpoints of conversations.

    Args:
        service: Knows the conversations and makes ids.
        gate: Says who calls.
    """

    def __init__(self, service: ResponseService, gate: Gate) -> None:
        self._log = service.conversations
        self._context = service.context
        self._gate = gate

    def at(self, prefix: str) -> list[Route]:
        one = f"{prefix}/{{conversation_id}}"
        return [
            Route(prefix, self.create, methods=["POST"]),
            Route(one, self.retrieve, methods=["GET"]),
            Route(one, self.update, methods=["POST"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/items", self.list_items, methods=["GET"]),
            Route(f"{one}/items", self.add_items, methods=["POST"]),
            Route(f"{one}/items/{{item_id}}", self.retrieve_item, methods=["GET"]),
            Route(f"{one}/items/{{item_id}}", self.delete_item, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> JsonAnswer:
        caller, body = await self._read(request)
        conversation_id = self._context.id_source.new("conv")
        opening = self._log.opening(caller.id, conversation_id, parse_metadata(body))
        items = self._items(body)
        await self._log.write([opening, *self._log.additions(caller.id, conversation_id, items, wait=True)])
        return JsonAnswer(encode(opening.value))

    async def retrieve(self, request: Request) -> JsonAnswer:
        _, conversation = await self._conversation(request)
        return JsonAnswer(encode(conversation))

    async def update(self, request: Request) -> JsonAnswer:
        caller, conversation = await self._conversation(request)
        body = await self._body(request)
        conversation = {**conversation, "metadata": parse_metadata(body)}
        await self._log.update(caller.id, conversation)
        return JsonAnswer(encode(conversation))

    async def delete(self, request: Request) -> JsonAnswer:
        caller, conversation = await self._conversation(request)
        conversation_id: str = conversation["id"]
        await self._log.delete(caller.id, conversation_id)
        await self._context.forget_session(caller.id, conversation_id)
        return JsonAnswer(encode({"id": conversation_id, "object": "conversation.deleted", "deleted": True}))

    async def list_items(self, request: Request) -> JsonAnswer:
        caller, conversation = await self._conversation(request)
        return JsonAnswer(encode(page_of(await self._log.items(caller.id, conversation["id"]), request)))

    async def add_items(self, request: Request) -> JsonAnswer:
        caller, conversation = await self._conversation(request)
        items = self._items(await self._body(request))
        await self._log.write(self._log.additions(caller.id, conversation["id"], items, wait=True))
        page = {"object": "list", "data": items, "has_more": False}
        ends = (
            {"first_id": items[0]["id"], "last_id": items[-1]["id"]}
            if items
            else {"first_id": "", "last_id": ""}
        )
        return JsonAnswer(encode(page | ends))

    async def retrieve_item(self, request: Request) -> JsonAnswer:
        caller, conversation = await self._conversation(request)
        return JsonAnswer(encode(await self._item(request, caller, conversation)))

    async def delete_item(self, request: Request) -> JsonAnswer:
        """Deletes an item that no turn has taken yet; answers the conversation."""
        caller, conversation = await self._conversation(request)
        item = await self._item(request, caller, conversation)
        if not await self._log.delete_waiting(caller.id, conversation["id"], item["id"]):
            raise RequestError(
                "This item is part of the target's history already and cannot be deleted by itself; "
                "delete the conversation.",
                param="item_id",
            )
        return JsonAnswer(encode(conversation))

    def _items(self, body: dict[str, Any]) -> list[Item]:
        given = sequence(body.get("items") or [], "items")
        if len(given) > MAX_ITEMS:
            raise RequestError(
                f"Invalid 'items': found {len(given)}, expected at most {MAX_ITEMS}.", param="items"
            )
        if not given:
            return []
        items, _ = parse_input(given, id_base=self._context.id_source.new("item"), name="items")
        return items

    async def _read(self, request: Request) -> tuple[Caller, dict[str, Any]]:
        return await self._gate(request), await self._body(request)

    async def _body(self, request: Request) -> dict[str, Any]:
        return await read_json_object(request, self._context.limits.body_limit(MAX_BODY_BYTES))

    async def _conversation(self, request: Request) -> tuple[Caller, dict[str, Any]]:
        caller = await self._gate(request)
        conversation = await self._log.get(caller.id, request.path_params["conversation_id"])
        if conversation is None:
            raise UnknownReference("There is no conversation with this id.", param="conversation_id")
        return caller, conversation

    async def _item(self, request: Request, caller: Caller, conversation: dict[str, Any]) -> Item:
        wanted = request.path_params["item_id"]
        for item in await self._log.items(caller.id, conversation["id"]):
            if item["id"] == wanted:
                return item
        raise UnknownReference("There is no item with this id.", param="item_id")
