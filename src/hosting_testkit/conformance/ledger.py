"""Failures that the author of a channel knows of and lists, with a reason (conformance-kit 4.9).

An entry covers a failure only as long as it is the failure that was listed: with other words, or after its date, it
is a new one; and when the rule passes, the entry has to go.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, cast, get_args

from .model import Check, ItemResult, Verdict
from .registry import catalogue

FILE = "conformance.ledger.toml"
"""Where a ledger is looked for if none is named."""

EntryKind = Literal["gap", "platform", "kit-bug"]
_FIELDS = frozenset({"rule", "variant", "channel", "kind", "reason", "issue", "expires", "contains"})
_RULE = re.compile(r"(?P<rule>[A-Z]+-[A-Z0-9]+-\d+)(?:\.(?P<sub>[^@]+))?(?:@(?P<variant>.+))?")


class LedgerError(ValueError):
    """A ledger cannot be used; the text says which entry and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One expected failure.

    Args:
        rule: The rule's id.
        sub: Glob over the short names of its checks; "" means all of them.
        variant: The transport; "" means all.
        channel: The channel; "" means all.
        kind: `gap` of the channel, limit of the `platform`, or `kit-bug`.
        reason: Why.
        issue: Where it is followed up.
        expires: The first day on which it covers nothing any more.
        contains: Words that the failure's text must hold.
    """

    rule: str
    sub: str = ""
    variant: str = ""
    channel: str = ""
    kind: EntryKind = "gap"
    reason: str
    issue: str = ""
    expires: datetime.date | None = None
    contains: str = ""

    @property
    def id(self) -> str:
        """As the author wrote it."""
        sub = f".{self.sub}" if self.sub else ""
        return f"{self.rule}{sub}@{self.variant}" if self.variant else f"{self.rule}{sub}"

    def means(self, channel: str, rule: str, variant: str) -> bool:
        """Whether it speaks of this item."""
        return self.rule == rule and self.variant in ("", variant) and self.channel in ("", channel)

    def covers(self, check: Check) -> bool:
        """Whether it speaks of this check."""
        return not self.sub or fnmatchcase(short_name(check.name), self.sub)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The entries of one file.

    Args:
        entries: In the file's order.
        level: The level that it was written for; "" if it does not say.
        path: Where it is, for messages.
    """

    entries: Sequence[Entry] = ()
    level: str = ""
    path: str = FILE

    def for_item(self, channel: str, rule: str, variant: str) -> list[Entry]:
        """The entries that speak of an item."""
        return [entry for entry in self.entries if entry.means(channel, rule, variant)]

    def check_collected(self, collected: Collection[tuple[str, str, str]], *, channels: int = 1) -> None:
        """Every entry must speak of an item that exists: (channel, rule, transport).

        Raises:
            LedgerError: One does not.
        """
        for entry in self.entries:
            if not any(entry.means(*item) for item in collected):
                raise LedgerError(
                    f"{self.path}: {entry.id} was never collected: no such rule on this transport "
                    f"in {channels} channels; remove the entry"
                )


def short_name(check: str) -> str:
    """A check's name as sub-check: `terminal events after a failure` is `terminal-events-after-a-failure`."""
    return re.sub(r"[^a-z0-9]+", "-", check.lower()).strip("-")


def read_ledger(path: Path, *, strict: bool = False) -> Ledger:
    """The ledger in a file.

    Args:
        path: The TOML file.
        strict: Entries need a reason that is not empty, an issue and a date.

    Raises:
        LedgerError: It cannot be read, or an entry is not right.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path}: {error}") from error
    raw: Any = data.get("expect", [])
    if unknown := data.keys() - {"expect", "level"}:
        raise LedgerError(f"{path}: unknown keys {sorted(unknown)}, expected level and [[expect]]")
    entries = [_entry(fields, f"{path}, entry {number}", strict) for number, fields in enumerate(raw, 1)]
    return Ledger(entries=entries, level=str(data.get("level", "")), path=str(path))


def apply_ledger(
    result: ItemResult, entries: Sequence[Entry], text: Callable[[ItemResult], str], today: datetime.date
) -> ItemResult:
    """The result as the ledger's entries for its item make it.

    Args:
        result: A result that counts.
        entries: Those that mean its item.
        text: Gives the failure's text, in which `contains` is looked for.
        today: Entries whose day has come cover nothing.
    """
    if not entries:
        return result
    listed = "; ".join(f"{entry.id} ({entry.kind}): {entry.reason or 'no reason given'}" for entry in entries)
    stale = [entry for entry in entries if _passed(entry, result)]
    if stale and result.verdict in (Verdict.PASS, Verdict.FAIL):
        names = ", ".join(entry.id for entry in stale)
        told = f"the ledger expects {names} to fail, and it does not; remove the entry"
        return replace(result, verdict=Verdict.UNEXPECTED_PASS, reason=told, listed=listed)
    if result.verdict is Verdict.NOT_APPLICABLE:
        told = f"the ledger lists it, and it does not apply ({result.reason}); remove the entry"
        return replace(result, verdict=Verdict.UNEXPECTED_PASS, reason=told, listed=listed)
    if result.verdict is not Verdict.FAIL:
        return result
    if objection := _objection(result, entries, text(result), today):
        return replace(result, reason=f"{result.reason}; {objection}", listed=listed)
    return replace(result, verdict=Verdict.EXPECTED_FAIL, listed=listed)


def propose(channel: str, results: Sequence[ItemResult]) -> str:
    """An entry for each failure that is not listed, its reason left empty; strict runs refuse it until it is filled."""
    lines: list[str] = []
    for result in results:
        if result.verdict is Verdict.FAIL and not result.listed:
            first = result.broken[0].name if result.broken else result.reason.partition("\n")[0]
            lines += [
                "[[expect]]",
                f'channel = "{channel}"',
                f'rule = "{result.rule}"',
                f'variant = "{result.variant}"',
                'kind = "gap" # gap, platform or kit-bug',
                'reason = ""',
                'issue = ""',
                f"contains = {_quoted(first)}",
                "",
            ]
    return "\n".join([*lines, ""]) if lines else ""


def _entry(fields: Any, where: str, strict: bool) -> Entry:
    if not isinstance(fields, dict):
        raise LedgerError(f"{where}: found {type(fields).__name__}, expected a table [[expect]]")
    given = cast("Mapping[str, Any]", fields)
    if unknown := given.keys() - _FIELDS:
        raise LedgerError(
            f"{where}: unknown fields {sorted(unknown)}; known are {', '.join(sorted(_FIELDS))}"
        )
    match = _RULE.fullmatch(str(given.get("rule", "")))
    if match is None or match["rule"] not in catalogue():
        raise LedgerError(f"{where}: rule {given.get('rule')!r} is not in the catalogue")
    if not isinstance(given.get("reason"), str):
        raise LedgerError(f"{where}: {match['rule']} has no reason; say why it is expected to fail")
    kind = given.get("kind", "gap")
    if kind not in get_args(EntryKind):
        raise LedgerError(f"{where}: kind {kind!r}, expected one of {', '.join(get_args(EntryKind))}")
    entry = Entry(
        rule=match["rule"],
        sub=match["sub"] or "",
        variant=match["variant"] or str(given.get("variant", "")),
        channel=str(given.get("channel", "")),
        kind=kind,
        reason=given["reason"].strip(),
        issue=str(given.get("issue", "")),
        expires=_date(given.get("expires"), where),
        contains=str(given.get("contains", "")),
    )
    missing = [name for name in ("reason", "issue", "expires") if not getattr(entry, name)]
    if strict and missing:
        raise LedgerError(f"{where}: strict needs {', '.join(missing)} for {entry.id}")
    return entry


def _date(value: Any, where: str) -> datetime.date | None:
    if value in (None, ""):
        return None
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError as error:
        raise LedgerError(f"{where}: expires {value!r}, expected a date such as 2027-03-01") from error


def _passed(entry: Entry, result: ItemResult) -> bool:
    """What it lists does not fail: the whole rule, or the checks that it names."""
    if result.verdict is Verdict.PASS:
        return True
    return bool(entry.sub and result.broken and not any(map(entry.covers, result.broken)))


def _objection(result: ItemResult, entries: Sequence[Entry], text: str, today: datetime.date) -> str:
    """Why the entries do not cover a failure; "" if they do."""
    for entry in entries:
        if entry.expires is not None and today >= entry.expires:
            return f"the ledger's entry {entry.id} expired on {entry.expires}"
        if _spaced(entry.contains) not in _spaced(text):
            return f"not the failure that the ledger lists, which holds {entry.contains!r}"
    uncovered = [check.name for check in result.broken if not any(entry.covers(check) for entry in entries)]
    return f"the ledger does not list {', '.join(uncovered)}" if uncovered else ""


def _spaced(text: str) -> str:
    """Texts are folded to fit the screen, so white space does not count."""
    return " ".join(text.split())


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = "".join(
        f"\\{letter}" if letter in '"\\' else letter if letter.isprintable() else f"\\U{ord(letter):08x}"
        for letter in text
    )
    return f'"{escaped}"'
