"""Every parameter of `responses.create`: used, only echoed, or refused. Nothing of the body reaches the target otherwise.

`PARAMETERS` is the table of the README, and a test holds both against the official client. What is used becomes a run
option by core's name through the readers below, an explicit allow-list (contract 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from hosting import RequestError

from .fields import (
    UnsupportedParameter,
    choice,
    flag,
    integer,
    mapping,
    number,
    optional_mapping,
    optional_text,
    wrong,
)
from .tools import parse_tool_choice

Treatment = Literal["used", "echoed", "refused"]

PARAMETERS: Mapping[str, Treatment] = {
    "access_programs": "refused",
    "background": "used",
    "background_options": "refused",
    "context_management": "refused",
    "conversation": "used",
    "frequency_penalty": "used",
    "image": "refused",
    "include": "used",
    "input": "used",
    "instructions": "used",
    "max_output_tokens": "used",
    "max_tool_calls": "echoed",
    "metadata": "used",
    "model": "echoed",
    "moderation": "refused",
    "parallel_tool_calls": "used",
    "presence_penalty": "used",
    "previous_response_id": "used",
    "prompt": "refused",
    "prompt_cache_key": "echoed",
    "prompt_cache_options": "echoed",
    "prompt_cache_retention": "echoed",
    "reasoning": "used",
    "safety_identifier": "used",
    "seed": "used",
    "service_tier": "echoed",
    "store": "used",
    "stream": "used",
    "stream_options": "used",
    "temperature": "used",
    "text": "used",
    "tool_choice": "used",
    "tools": "used",
    "top_logprobs": "echoed",
    "top_p": "used",
    "truncation": "used",
    "user": "used",
}

_HARMLESS: Mapping[str, Any] = {"context_management": []}
"""Values by which a refused parameter asks for nothing."""

_INT64 = (1 << 63) - 1


def refuse_unsupported(body: Mapping[str, Any]) -> None:
    """Refuses what cannot be served, so that no caller believes it was.

    Raises:
        UnsupportedParameter: Names the parameter.
    """
    for name in body:
        if PARAMETERS.get(name) != "refused" or body[name] is None or body[name] == _HARMLESS.get(name, body):
            continue
        raise UnsupportedParameter(f"Unsupported parameter: '{name}' is not supported here.", param=name)
    if integer(body, "top_logprobs", 0, 20):
        raise UnsupportedParameter(
            "Unsupported parameter: no log probabilities are known here.", param="top_logprobs"
        )
    stream_options = optional_mapping(body, "stream_options") or {}
    if stream_options.get("include_obfuscation"):
        raise UnsupportedParameter(
            "Unsupported parameter: streams are not obfuscated here.",
            param="stream_options.include_obfuscation",
        )


def run_options(body: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the caller set, by core's names."""
    read = [(option, reader(body)) for parameter, option, reader in _READERS if parameter in body]
    return {option: value for option, value in read if value is not None}


def echoes(body: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of the response object that repeat what the caller set."""
    echo = {name: value for name, value in body.items() if name in _ECHOED and value is not None}
    for name in ("model", "prompt_cache_key", "prompt_cache_retention", "service_tier"):
        optional_text(body, name)
    optional_mapping(body, "prompt_cache_options")
    integer(body, "max_tool_calls", 1, _INT64)
    if "reasoning" in echo:
        echo["reasoning"] = {"effort": None, "summary": None, **mapping(body["reasoning"], "reasoning")}
    if "text" in echo:
        echo["text"] = _echoed_text(mapping(body["text"], "text"))
    return echo


def parse_metadata(body: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's labels: strings under strings."""
    metadata = optional_mapping(body, "metadata") or {}
    for key, value in metadata.items():
        if not isinstance(value, str):
            wrong(f"metadata.{key}", value, "a string")
    return metadata


def _metadata_option(body: Mapping[str, Any]) -> dict[str, Any] | None:
    return parse_metadata(body) or None


def _parallel(body: Mapping[str, Any]) -> bool | None:
    return None if body.get("parallel_tool_calls") is None else flag(body, "parallel_tool_calls", True)


def _response_format(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """`text.format` in the form that core's clients share; plain text asks for nothing."""
    text = optional_mapping(body, "text") or {}
    if text.get("format") is None:
        return None
    wanted = mapping(text["format"], "text.format")
    match wanted.get("type"):
        case "text":
            return None
        case "json_object":
            return {"type": "json_object"}
        case "json_schema":
            schema = mapping(wanted.get("schema"), "text.format.schema")
            named = {
                key: wanted[key] for key in ("name", "description", "strict") if wanted.get(key) is not None
            }
            return {"type": "json_schema", "json_schema": {**named, "schema": schema}}
        case kind:
            raise RequestError(
                f"Invalid 'text.format.type': found {kind!r}, expected 'text', 'json_object' or 'json_schema'.",
                param="text.format.type",
            )


def _verbosity(body: Mapping[str, Any]) -> str | None:
    return choice(optional_mapping(body, "text") or {}, "verbosity", ("low", "medium", "high"))


def _echoed_text(text: dict[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = text.get("format") or {"type": "text"}
    if wanted.get("type") == "json_schema":
        wanted = {"name": "response", "description": None, "strict": None, **wanted}
    return {**text, "format": wanted}


_READERS: Sequence[tuple[str, str, Callable[[Mapping[str, Any]], Any]]] = (
    ("temperature", "temperature", lambda body: number(body, "temperature", 0, 2)),
    ("top_p", "top_p", lambda body: number(body, "top_p", 0, 1)),
    ("max_output_tokens", "max_tokens", lambda body: integer(body, "max_output_tokens", 1, _INT64)),
    ("frequency_penalty", "frequency_penalty", lambda body: number(body, "frequency_penalty", -2, 2)),
    ("presence_penalty", "presence_penalty", lambda body: number(body, "presence_penalty", -2, 2)),
    ("seed", "seed", lambda body: integer(body, "seed", -_INT64, _INT64)),
    ("tool_choice", "tool_choice", lambda body: parse_tool_choice(body["tool_choice"])),
    ("parallel_tool_calls", "allow_multiple_tool_calls", _parallel),
    ("text", "response_format", _response_format),
    ("text", "verbosity", _verbosity),
    ("reasoning", "reasoning", lambda body: optional_mapping(body, "reasoning")),
    ("truncation", "truncation", lambda body: choice(body, "truncation", ("auto", "disabled"))),
    ("metadata", "metadata", _metadata_option),
    ("user", "user", lambda body: optional_text(body, "user")),
    ("safety_identifier", "safety_identifier", lambda body: optional_text(body, "safety_identifier")),
)
"""A parameter of the body, the run option that it becomes, and how it is read."""

_ECHOED = frozenset(
    {
        "background",
        "frequency_penalty",
        "max_output_tokens",
        "max_tool_calls",
        "model",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "temperature",
        "text",
        "tool_choice",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
