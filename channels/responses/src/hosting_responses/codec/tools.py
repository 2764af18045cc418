"""The caller's tools and how it wants them chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_framework import FunctionTool

from hosting import RequestError

from .fields import UnsupportedParameter, mapping, required_text, sequence, text, wrong
from .wire import Item

_CHOICES = ("auto", "none", "required")
_NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}


def parse_tools(value: Any) -> list[Item]:
    """The caller's function tools, as the response object echoes them.

    Raises:
        UnsupportedParameter: Another kind of tool: those run at OpenAI, or are the target's own business.
    """
    tools = [] if value is None else sequence(value, "tools")
    return [_parse_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools)]


def declarations(tools: list[Item]) -> list[FunctionTool]:
    """Tools that the target may call and that end its turn, for the caller runs them (core-facts 3.10)."""
    return [
        FunctionTool(
            name=tool["name"],
            description=tool["description"] or "",
            func=None,
            input_model=tool["parameters"] or _NO_PARAMETERS,
        )
        for tool in tools
    ]


def parse_tool_choice(value: Any) -> Any:
    """The choice as core's options have it, or None.

    Raises:
        UnsupportedParameter: A choice among tools that this channel does not take.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if value not in _CHOICES:
            raise RequestError(
                f"Invalid 'tool_choice': found '{value}', expected one of {_CHOICES}.", param="tool_choice"
            )
        return value
    if not isinstance(value, dict):
        wrong("tool_choice", value, "a string or an object")
    choice = mapping(value, "tool_choice")
    match choice.get("type"):
        case "function":
            return {
                "mode": "required",
                "required_function_name": required_text(choice, "name", "tool_choice"),
            }
        case "allowed_tools":
            return _allowed_tools(choice)
        case kind:
            raise UnsupportedParameter(
                f"The tool choice {kind!r} is not supported here.", param="tool_choice"
            )


def _allowed_tools(choice: dict[str, Any]) -> Any:
    mode = choice.get("mode", "auto")
    if mode not in ("auto", "required"):
        raise RequestError("'tool_choice.mode' must be 'auto' or 'required'.", param="tool_choice.mode")
    names: list[str] = []
    for index, tool in enumerate(sequence(choice.get("tools"), "tool_choice.tools")):
        param = f"tool_choice.tools[{index}]"
        names.append(required_text(mapping(tool, param), "name", param))
    return {"mode": mode, "allowed_tools": names}


def _parse_tool(value: Any, param: str) -> Item:
    tool = mapping(value, param)
    kind = required_text(tool, "type", param)
    if kind != "function":
        raise UnsupportedParameter(
            f"Tools of type '{kind}' are not supported here; send tools of type 'function'.",
            param=f"{param}.type",
        )
    description, parameters, strict = tool.get("description"), tool.get("parameters"), tool.get("strict")
    if strict is not None and not isinstance(strict, bool):
        wrong(f"{param}.strict", strict, "a boolean")
    return {
        "type": "function",
        "name": required_text(tool, "name", param),
        "description": None if description is None else text(description, f"{param}.description"),
        "parameters": None if parameters is None else mapping(parameters, f"{param}.parameters"),
        "strict": strict,
    }
