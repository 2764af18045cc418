"""Values of the app and of core as JSON, and back, without pickle (contract 3.3, 8.5)."""

from .codec import from_json, to_json, to_text
from .hints import hint_from_json, hint_to_json, type_name
from .registry import UnregisteredType, register_type

__all__ = [
    "UnregisteredType",
    "from_json",
    "hint_from_json",
    "hint_to_json",
    "register_type",
    "to_json",
    "to_text",
    "type_name",
]
