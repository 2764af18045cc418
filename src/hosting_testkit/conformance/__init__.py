"""Shows whether a channel keeps the host contract: `check_channel(MyDriver)`, `pytest --conformance`, `hosting-testkit check`."""

from .discovery import UnknownChannel, find_drivers
from .engine import Item, Selection, check_channel, items_of, run, run_item
from .kit import DriverFactory, Kit
from .model import Check, ItemResult, RuleText, Verdict
from .registry import Rule, UnknownRule, catalogue, rule, written_rules
from .report import NotConformant, Report

__all__ = [
    "Check",
    "DriverFactory",
    "Item",
    "ItemResult",
    "Kit",
    "NotConformant",
    "Report",
    "Rule",
    "RuleText",
    "Selection",
    "UnknownChannel",
    "UnknownRule",
    "Verdict",
    "catalogue",
    "check_channel",
    "find_drivers",
    "items_of",
    "rule",
    "run",
    "run_item",
    "written_rules",
]
