"""What broken stores make of statements, values and rows: small changes, one each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hosting.state import Rows, Statement


def text(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) else value


def number(change: Callable[[int], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, int) else value


def with_params(each: Statement, **params: object) -> Statement:
    return replace(each, params={**each.params, **{k: v for k, v in params.items() if k in each.params}})


def backwards(each: Statement, rows: Rows) -> Rows:
    return rows[::-1] if each.name.endswith(("load_all", "load_of_turn")) else rows


def in_utf16_order(each: Statement, rows: Rows) -> Rows:
    if "scan_up" not in each.name:
        return rows
    return sorted(rows, key=lambda row: row[0].encode("utf-16-be", "surrogatepass"))


def always_new(each: Statement, rows: Rows) -> Rows:
    return rows or [(1,)] if each.name == "events.claim" else rows


def always_mine(each: Statement, rows: Rows) -> Rows:
    return rows or [(each.params["holder"],)] if each.name == "locks.take" else rows


def counted_twice(each: Statement, rows: Rows) -> Rows:
    return rows * 2 if each.name == "records.expire" else rows


def as_floats(each: Statement, rows: Rows) -> Rows:
    return [tuple(float(value) if isinstance(value, int) else value for value in row) for row in rows]


def unknown_to_readers(each: Statement, rows: Rows) -> Rows:
    return [] if each.name == "store.ping" else rows


def inclusive(each: Statement) -> Statement:
    low = each.params.get("low", "")
    return with_params(each, low=low.removesuffix("\x01")) if each.name == "records.scan_up" else each


def unfenced(each: Statement) -> Statement:
    return replace(each, expect=None) if each.name.startswith("events.") else each
