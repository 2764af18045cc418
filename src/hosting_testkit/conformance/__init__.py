"""Shows whether a channel keeps the host contract: `check_channel(MyDriver)`, `pytest --conformance`, `hosting-testkit check`."""

from .discovery import UnknownChannel, find_drivers
from .engine import check_channel, items_of, run, run_item
from .kit import DriverFactory, Kit
from .ledger import Ledger, LedgerError
from .levels import Level, UnknownLevel, read_level
from .model import Check, ItemResult, RuleText, Verdict
from .registry import Rule, UnknownRule, catalogue, rule, written_rules
from .report import NotConformant, Report
from .selection import Item, Selection
from .terms import NotAdmitted, Terms

__all__ = [
    "Check",
    "DriverFactory",
    "Item",
    "ItemResult",
    "Kit",
    "Ledger",
    "LedgerError",
    "Level",
    "NotAdmitted",
    "NotConformant",
    "Report",
    "Rule",
    "RuleText",
    "Selection",
    "Terms",
    "UnknownChannel",
    "UnknownLevel",
    "UnknownRule",
    "Verdict",
    "catalogue",
    "check_channel",
    "find_drivers",
    "items_of",
    "read_level",
    "rule",
    "run",
    "run_item",
    "written_rules",
]
