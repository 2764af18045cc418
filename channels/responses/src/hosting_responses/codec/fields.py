"""Reading a JSON body: typed getters that say what was found and what was expected."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NoReturn, cast

from hosting import RequestError

_NAMES: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class UnsupportedParameter(RequestError):
    """A parameter of the API that this channel does not serve (400)."""

    code = "unsupported_parameter"


class MissingParameter(RequestError):
    """A parameter without which the request makes no sense (400)."""

    code = "missing_required_parameter"


class InvalidType(RequestError):
    """A parameter of the wrong JSON type (400)."""

    code = "invalid_type"


def wrong(param: str, found: Any, expected: str) -> NoReturn:
    """Raises `InvalidType` for a value of the wrong type."""
    name = _NAMES.get(cast("type[object]", type(found)), "another value")
    raise InvalidType(f"Invalid type for '{param}': expected {expected}, found {name}.", param=param)


def text(value: Any, param: str) -> str:
    return value if isinstance(value, str) else wrong(param, value, "a string")


def required_text(source: Mapping[str, Any], key: str, param: str) -> str:
    value = source.get(key)
    if value is None:
        raise MissingParameter(f"Missing required parameter: '{param}.{key}'.", param=f"{param}.{key}")
    return text(value, f"{param}.{key}")


def optional_text(source: Mapping[str, Any], key: str) -> str | None:
    value = source.get(key)
    return None if value is None else text(value, key)


def flag(source: Mapping[str, Any], key: str, default: bool) -> bool:
    value = source.get(key)
    if value is None:
        return default
    return value if isinstance(value, bool) else wrong(key, value, "a boolean")


def number(source: Mapping[str, Any], key: str, low: float, high: float) -> float | None:
    """A number within [low, high], or None."""
    value = source.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        wrong(key, value, "a number")
    if not low <= value <= high:
        raise RequestError(
            f"Invalid '{key}': found {value}, expected a number from {low:g} to {high:g}.", param=key
        )
    return value


def integer(source: Mapping[str, Any], key: str, low: int, high: int) -> int | None:
    """A whole number within [low, high], or None."""
    value = source.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        wrong(key, value, "an integer")
    number(source, key, low, high)
    return value


def choice(source: Mapping[str, Any], key: str, allowed: Collection[str]) -> str | None:
    value = optional_text(source, key)
    if value is not None and value not in allowed:
        expected = ", ".join(f"'{name}'" for name in allowed)
        raise RequestError(f"Invalid '{key}': found '{value}', expected one of {expected}.", param=key)
    return value


def mapping(value: Any, param: str) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else wrong(param, value, "an object")


def optional_mapping(source: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    value = source.get(key)
    return None if value is None else mapping(value, key)


def sequence(value: Any, param: str) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else wrong(param, value, "an array")
