"""Input items, one after the other, as messages of core.

Items that an assistant gave belong together as core's clients expect it: reasoning, text and calls of one turn in one
message, and the outputs of those calls in one tool message. History that other software wrote is taken leniently:
ids and statuses may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_framework import Content, Message

from hosting import RequestError

from .compaction import unpack
from .fields import MissingParameter, mapping, required_text, sequence, text, wrong
from .items import DEFAULT_SERVER_LABEL
from .parts import normal_parts, parse_parts
from .wire import Item, original_call_id

_ROLES = {"user": "user", "system": "system", "developer": "system", "assistant": "assistant"}
_RAW_MARK = {"openai": {"reasoning_text": True}, "reasoning_text": True}


class InputReader:
    """Collects `items`, as the API lists them, and `messages`, for the target.

    Args:
        id_base: The response's id; items without an id get one that derives from it.
        known: Items by id, for references.
        approvals: Open approval requests by id.
    """

    def __init__(self, id_base: str, known: Mapping[str, Item], approvals: Mapping[str, Content]) -> None:
        self.items: list[Item] = []
        self.messages: list[Message] = []
        self._id_base = id_base.removeprefix("resp_")
        self._known = known
        self._approvals = dict(approvals)

    def read(self, item: Item, param: str) -> None:
        """Takes one input item.

        Raises:
            RequestError: Names what is missing or wrong.
        """
        kind = item.get("type")
        if kind is None:
            kind = "message" if "role" in item else "item_reference" if "id" in item else None
        match kind:
            case "message":
                self._message(item, param)
            case "function_call":
                self._function_call(item, param)
            case "function_call_output":
                self._function_output(item, param)
            case "reasoning":
                self._reasoning(item, param)
            case "item_reference":
                self._reference(item, param)
            case "mcp_approval_request":
                self._approval_request(item, param)
            case "mcp_approval_response":
                self._approval_response(item, param)
            case "mcp_call":
                self._mcp_call(item, param)
            case "image_generation_call":
                self._image(item, param)
            case "compaction":
                self._compaction(item, param)
            case None:
                raise MissingParameter(f"Missing required parameter: '{param}.type'.", param=f"{param}.type")
            case _:
                raise RequestError(
                    f"Invalid '{param}.type': items of type {kind!r} are not supported here.",
                    param=f"{param}.type",
                )

    def _message(self, item: Item, param: str) -> None:
        role = required_text(item, "role", param)
        if role not in _ROLES:
            raise RequestError(
                f"Invalid '{param}.role': found '{role}', expected one of {', '.join(_ROLES)}.",
                param=f"{param}.role",
            )
        value = item.get("content")
        if value is None:
            raise MissingParameter(
                f"Missing required parameter: '{param}.content'.", param=f"{param}.content"
            )
        if not isinstance(value, str | list):
            wrong(f"{param}.content", value, "a string or an array")
        contents = parse_parts(value, f"{param}.content")
        parts = normal_parts(value, assistant=role == "assistant")
        self._list(item, "msg", type="message", role=role, content=parts, status="completed")
        self._add(_ROLES[role], contents, joins=role == "assistant" and self._reasons())

    def _function_call(self, item: Item, param: str) -> None:
        call_id, name = (
            original_call_id(required_text(item, "call_id", param)),
            required_text(item, "name", param),
        )
        arguments = required_text(item, "arguments", param)
        self._list(item, "fc", status="completed")
        self._add("assistant", [Content.from_function_call(call_id, name, arguments=arguments)], joins=True)

    def _function_output(self, item: Item, param: str) -> None:
        call_id, output = original_call_id(required_text(item, "call_id", param)), item.get("output")
        if not isinstance(output, str | list):
            wrong(f"{param}.output", output, "a string or an array")
        result = output if isinstance(output, str) else parse_parts(output, f"{param}.output")
        listed = output if isinstance(output, str) else normal_parts(output, assistant=False)
        self._list(item, "fco", output=listed, status="completed")
        self._add("tool", [Content.from_function_result(call_id, result=result)], joins=True)

    def _reasoning(self, item: Item, param: str) -> None:
        encrypted, item_id = item.get("encrypted_content"), item.get("id")
        contents: list[Content] = []
        for key, mark in (("summary", None), ("content", _RAW_MARK)):
            for index, part in enumerate(sequence(item.get(key) or [], f"{param}.{key}")):
                where = f"{param}.{key}[{index}]"
                said = required_text(mapping(part, where), "text", where)
                contents.append(
                    Content.from_text_reasoning(
                        id=item_id, text=said, additional_properties=mark and {**mark}
                    )
                )
        if encrypted is not None:
            encrypted = text(encrypted, f"{param}.encrypted_content")
            contents = contents or [Content.from_text_reasoning(id=item_id)]
            contents[-1].protected_data = encrypted
        self._list(item, "rs", summary=item.get("summary") or [])
        self._add("assistant", contents, joins=self._reasons())

    def _reference(self, item: Item, param: str) -> None:
        item_id = required_text(item, "id", param)
        known = self._known.get(item_id)
        if known is None:
            raise RequestError(f"Item with id '{item_id}' not found.", param=f"{param}.id")
        self.read(known, param)

    def _approval_request(self, item: Item, param: str) -> None:
        """A request given back says what an answer behind it answers; the target knows it from its own history."""
        request_id, name = required_text(item, "id", param), required_text(item, "name", param)
        call = Content.from_function_call(request_id, name, arguments=item.get("arguments"))
        self._approvals.setdefault(request_id, Content.from_function_approval_request(request_id, call))
        self._list(item, "mcpr", server_label=item.get("server_label") or DEFAULT_SERVER_LABEL)

    def _approval_response(self, item: Item, param: str) -> None:
        request_id, approve = required_text(item, "approval_request_id", param), item.get("approve")
        if not isinstance(approve, bool):
            wrong(f"{param}.approve", approve, "a boolean")
        request = self._approvals.get(request_id)
        if request is None:
            raise RequestError(
                f"No approval request with id '{request_id}' is open.", param=f"{param}.approval_request_id"
            )
        self._list(item, "mcpa")
        self._add("user", [request.to_function_approval_response(approve)])

    def _mcp_call(self, item: Item, param: str) -> None:
        name, label = required_text(item, "name", param), item.get("server_label") or DEFAULT_SERVER_LABEL
        listed = self._list(item, "mcp", server_label=label)
        call = Content.from_mcp_server_tool_call(
            listed["id"], name, server_name=label, arguments=item.get("arguments")
        )
        contents = [call]
        if item.get("output") is not None:
            said = text(item["output"], f"{param}.output")
            contents.append(
                Content.from_mcp_server_tool_result(listed["id"], output=[Content.from_text(said)])
            )
        self._add("assistant", contents, joins=True)

    def _image(self, item: Item, param: str) -> None:
        self._list(item, "ig", status="completed")
        if item.get("result") is not None:
            kind = item.get("output_format") or "png"
            url = f"data:image/{kind};base64,{text(item['result'], f'{param}.result')}"
            self._add("assistant", parse_parts([{"type": "input_image", "image_url": url}], param))

    def _compaction(self, item: Item, param: str) -> None:
        packed = unpack(required_text(item, "encrypted_content", param), f"{param}.encrypted_content")
        listed = self._list(item, "cmp")
        inner = InputReader(f"{self._id_base}_{len(self.items)}", self._known, self._approvals)
        for index, old in enumerate(packed):
            inner.read(mapping(old, param), f"{param}.encrypted_content[{index}]")
        self.items[-1] = listed
        self.messages.extend(inner.messages)

    def _list(self, item: Item, prefix: str, **defaults: Any) -> Item:
        """Adds `item` to the list, with an id and what else it needs to be shown again."""
        given = {key: value for key, value in item.items() if value is not None}
        content = {key: defaults.pop(key) for key in ("content", "output", "type") if key in defaults}
        item_id = given.pop("id", None)
        if not isinstance(item_id, str):
            item_id = f"{prefix}_{self._id_base}_in{len(self.items)}"
        listed = {"id": item_id, **defaults, **given, **content}
        self.items.append(listed)
        return listed

    def _add(self, role: str, contents: list[Content], *, joins: bool = False) -> None:
        """Adds to the last message if it `joins` and has the same role; otherwise begins one."""
        last = self.messages[-1] if self.messages else None
        if joins and last is not None and last.role == role:
            last.contents.extend(contents)
        elif contents:
            self.messages.append(Message(role, contents))

    def _reasons(self) -> bool:
        """Whether the last message holds nothing but reasoning so far, and so waits for what was reasoned."""
        last = self.messages[-1] if self.messages else None
        return last is not None and all(content.type == "text_reasoning" for content in last.contents)
