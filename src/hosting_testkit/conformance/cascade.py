"""Groups what went wrong: a control that breaks mostly breaks because another rule does.

A guess, told as one: the item's own verdict stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from .model import ItemResult, Verdict
from .registry import catalogue, written_rules

_ROOTS = ("HC-CAP-001", "HC-LIFE-001")
"""The rules that every other builds on: a text goes in and an answer comes out, the first one too."""

_ROUGHLY = re.compile(r"<[^>]*>|\d+")


def with_causes(results: Sequence[ItemResult]) -> list[ItemResult]:
    """The results, each bad one with the id of the item that it most likely follows from."""
    bad = [result for result in results if _broken(result)]
    return [replace(result, cause=_cause(result, bad)) if _broken(result) else result for result in results]


def _cause(result: ItemResult, bad: Sequence[ItemResult]) -> str:
    if result.verdict is Verdict.FAIL and result.broken:
        return ""  # it observed something of its own
    if result.rule in _ROOTS:
        return _root_of(result, bad, _ROOTS[: _ROOTS.index(result.rule)])
    same = next((other for other in bad if _alike(other, result)), result)
    if same is not result:
        return same.id
    if result.verdict is not Verdict.UNPROVEN:
        return ""
    carrying = next((other.id for other in bad if _carries(other, result)), "")
    return _root_of(result, bad, _ROOTS) or carrying


def _root_of(result: ItemResult, bad: Sequence[ItemResult], rules: Sequence[str]) -> str:
    """The first of these rules that is bad on the same transport."""
    found = [other for other in bad if other.rule in rules and other.variant == result.variant]
    return min(found, key=lambda other: rules.index(other.rule)).id if found else ""


def _broken(result: ItemResult) -> bool:
    return result.verdict in (Verdict.FAIL, Verdict.UNPROVEN)


def _alike(other: ItemResult, result: ItemResult) -> bool:
    """They ended in the same way, in the same words but for ids and numbers; a missing hook is such a case."""
    return (
        other.verdict is result.verdict
        and not other.broken
        and _ROUGHLY.sub("", other.reason) == _ROUGHLY.sub("", result.reason)
    )


def _carries(other: ItemResult, result: ItemResult) -> bool:
    """A failing smoke rule of the same area and transport that needs nothing more than this one."""
    if other.verdict is not Verdict.FAIL or other.variant != result.variant or other.rule == result.rule:
        return False
    text, below = catalogue()[result.rule], catalogue()[other.rule]
    needs = [set(written_rules()[id].needs) for id in (other.rule, result.rule)]
    return below.smoke and below.area == text.area and needs[0] <= needs[1]
