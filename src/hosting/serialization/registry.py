"""Which types may be stored, and under which tag (contract 3.3, 8.5).

Stored text can only ever make objects of types that stand here. Subclasses are types of their own.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import ChannelConfigurationError, UnprocessableInput

C = TypeVar("C")


class UnregisteredType(UnprocessableInput):
    """A value's type has no registered form in JSON (422).

    Args:
        name: The type, or the tag, that nothing was registered for.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A value of type {name} cannot be stored; register it when the app starts: "
            f"hosting.register_type({name.rpartition('.')[2]})."
        )
        self.name = name


@dataclass(frozen=True, slots=True)
class Form:
    """How values of one type become JSON; `to_json` may return further registered values."""

    cls: type[Any]
    tag: str
    to_json: Callable[[Any], Any]
    from_json: Callable[[Any], Any]


_by_type: dict[type[Any], Form] = {}
_by_tag: dict[str, Form] = {}


def register_type(
    cls: type[C],
    *,
    tag: str | None = None,
    to_json: Callable[[C], Any] | None = None,
    from_json: Callable[[Any], C] | None = None,
) -> type[C]:
    """Lets values of `cls` be stored: in checkpoints, as workflow inputs and as results (contract 3.3, 8.5).

    Call it at import time, also as a decorator. Dataclasses, pydantic models and enums need nothing else; the types of
    their fields are registered on their own.

    Args:
        cls: The type; its subclasses are registered on their own.
        tag: Stands in stored text, so it must outlive renames; the qualified name unless given.
        to_json: Turns a value into JSON or into other registered values.
        from_json: Takes what `to_json` gave.

    Raises:
        ChannelConfigurationError: The tag is taken, or `cls` needs `to_json` and `from_json`.
    """
    name = tag or qualified_name(cls)
    if (to_json is None) is not (from_json is None):
        raise ChannelConfigurationError(
            f"register_type({qualified_name(cls)}): give to_json and from_json together"
        )
    if to_json is not None and from_json is not None:
        form = Form(cls, name, to_json, from_json)
    else:
        form = _known_form(cls, name)
    taken = _by_tag.get(name)
    if taken is not None and qualified_name(taken.cls) != qualified_name(cls):
        raise ChannelConfigurationError(
            f"register_type: the tag {name!r} of {qualified_name(cls)} belongs to {qualified_name(taken.cls)}; "
            "pass another tag="
        )
    _by_tag[name] = _by_type[cls] = form
    return cls


def form_of(cls: type[Any]) -> Form:
    """The form of values of exactly this type.

    Raises:
        UnregisteredType: There is none.
    """
    form = _by_type.get(cls) or (_core_types_joined() and _by_type.get(cls))
    if not form:
        raise UnregisteredType(qualified_name(cls))
    return form


def form_tagged(tag: str) -> Form:
    """The form that stored text names.

    Raises:
        UnregisteredType: There is none.
    """
    form = _by_tag.get(tag) or (_core_types_joined() and _by_tag.get(tag))
    if not form:
        raise UnregisteredType(tag)
    return form


def qualified_name(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _core_types_joined() -> bool:
    """Core's types are looked at on the first miss only: importing them takes too long to do it before."""
    from .core_types import register_core_types

    register_core_types()
    return True


def _known_form(cls: type[Any], tag: str) -> Form:
    if issubclass(cls, enum.Enum):
        return Form(cls, tag, lambda member: member.value, cls)
    if dataclasses.is_dataclass(cls):
        return Form(cls, tag, _dataclass_fields, lambda fields: _dataclass_of(cls, fields))
    if callable(getattr(cls, "model_validate_json", None)):
        return Form(cls, tag, _model_fields, lambda fields: cls.model_validate_json(json.dumps(fields)))
    raise ChannelConfigurationError(
        f"register_type({qualified_name(cls)}): it is no dataclass, pydantic model or enum; give to_json and from_json"
    )


def _model_fields(value: Any) -> dict[str, Any]:
    return value.model_dump(mode="json", round_trip=True)


def _dataclass_fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _dataclass_of(cls: type[Any], values: Mapping[str, Any]) -> Any:
    computed = {field.name for field in dataclasses.fields(cls) if not field.init}
    made = cls(**{name: value for name, value in values.items() if name not in computed})
    for name in computed & values.keys():
        object.__setattr__(made, name, values[name])
    return made
