"""Types as JSON and as text: what a pending request expects as its answer."""

from __future__ import annotations

import types
import typing
from typing import Any, cast

from .codec import from_json, to_json
from .registry import UnregisteredType, form_of, form_tagged

_SIMPLE: dict[str, Any] = {"any": Any, "none": type(None), "str": str, "bool": bool, "list": list, "...": ...}


def hint_to_json(hint: Any) -> Any:
    """A class, or a generic, union or literal over registered types, as JSON that `hint_from_json` reads.

    Raises:
        UnregisteredType: It names a class that was not registered.
    """
    for name, simple in _SIMPLE.items():
        if hint is simple:
            return name
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"union": [hint_to_json(arg) for arg in args]}
    if origin is typing.Literal:
        return {"literal": to_json(list(args))}
    if origin is not None and args:
        return {"of": hint_to_json(origin), "args": [hint_to_json(arg) for arg in args]}
    named = origin or hint
    if not isinstance(named, type):
        raise UnregisteredType(str(hint))
    return {"class": form_of(cast("type[Any]", named)).tag}


def hint_from_json(data: Any) -> Any:
    """The type that `hint_to_json` wrote as `data`.

    Raises:
        UnregisteredType: It names a class that is not registered any more.
    """
    if isinstance(data, str):
        return _SIMPLE[data]
    fields = cast("dict[str, Any]", data)
    if "class" in fields:
        return form_tagged(fields["class"]).cls
    if "literal" in fields:
        return typing.Literal[tuple(from_json(fields["literal"]))]
    if "union" in fields:
        return typing.Union[tuple(hint_from_json(item) for item in fields["union"])]  # noqa: UP007  # made at run time
    origin = hint_from_json(fields["of"])
    return origin[tuple(hint_from_json(item) for item in fields["args"])]


def type_name(hint: Any) -> str:
    """A type as its author wrote it, such as `list[Message]`."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_name(arg) for arg in args)
    if origin is typing.Literal:
        return f"Literal[{', '.join(repr(arg) for arg in args)}]"
    if origin is not None and args:
        return f"{type_name(origin)}[{', '.join(type_name(arg) for arg in args)}]"
    if hint is type(None):
        return "None"
    return "..." if hint is Ellipsis else getattr(hint, "__name__", None) or str(hint)
