"""Reports: one result, several writers."""

from .json import item_to_json, read_item, to_json
from .model import NotConformant, Report
from .terminal import failure_text, render, sum_line

__all__ = [
    "NotConformant",
    "Report",
    "failure_text",
    "item_to_json",
    "read_item",
    "render",
    "sum_line",
    "to_json",
]
