"""Reports: one result, several writers."""

from .badge import Badge, NoBadge, badge_of
from .har import to_har
from .html import to_html
from .json import document, item_to_json, read_item, to_json
from .junit import properties, to_junit
from .markdown import to_markdown
from .model import NotConformant, Report
from .repro import scripts
from .sarif import to_sarif
from .terminal import evidence_text, failure_text, followers, render, sum_line, uncounted
from .writers import FORMATS, Output, UnknownFormat, write_scripts

__all__ = [
    "FORMATS",
    "Badge",
    "NoBadge",
    "NotConformant",
    "Output",
    "Report",
    "UnknownFormat",
    "badge_of",
    "document",
    "evidence_text",
    "failure_text",
    "followers",
    "item_to_json",
    "properties",
    "read_item",
    "render",
    "scripts",
    "sum_line",
    "to_har",
    "to_html",
    "to_json",
    "to_junit",
    "to_markdown",
    "to_sarif",
    "uncounted",
    "write_scripts",
]
