"""Several JSON reports side by side: what changed between two, and one table of many for the documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .markdown import table

Document = Mapping[str, Any]
_STATES = {"supported": "yes", "not-implemented": "not yet", "impossible": "no"}


def diff(old: Document, new: Document) -> str:
    """What changed, channel by channel, as Markdown for release notes."""
    before, after = _channels(old), _channels(new)
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        lines += [f"## {name}", ""]
        if name not in before or name not in after:
            lines += [f"Only in the {'new' if name in after else 'old'} report.", ""]
            continue
        lines += [f"- before: `{before[name]['summary']}`", f"- after: `{after[name]['summary']}`", ""]
        changes = [*_claims(before[name], after[name]), *_verdicts(before[name], after[name])]
        lines += (
            [*table(["what", "before", "after"], changes), ""] if changes else ["No verdict changed.", ""]
        )
    return "\n".join(lines).rstrip("\n")


def matrix(documents: Sequence[Document]) -> str:
    """One table of results, one of capabilities with their reasons as footnotes, one of areas."""
    found = [channel for document in documents for channel in document["channels"]]
    names = [channel["channel"] for channel in found]
    notes: list[str] = []
    capabilities = list(dict.fromkeys(name for channel in found for name in channel["capabilities"]))
    areas = list(dict.fromkeys(item["area"] for channel in found for item in channel["items"]))
    parts = [
        *table(["channel", "version", "level", "run", "pass", "known", "open", "n/a"], _sums(found)),
        "",
        "known: failures in the ledger; open: all other failures, and what is unproven.",
        "Below, `yes (3)`: three rules that need the capability passed; `no [1]`: the reason is footnote 1.",
        "",
        *table(
            ["capability", *names],
            [[name, *(_state(channel, name, notes) for channel in found)] for name in capabilities],
        ),
        "",
        *table(["area", *names], [[area, *(_area(channel, area) for channel in found)] for area in areas]),
        "",
        *(f"{number}. {note}" for number, note in enumerate(notes, 1)),
    ]
    return "\n".join(parts).rstrip("\n")


def _sums(channels: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The sum of each channel as a row."""
    rows: list[list[str]] = []
    for channel in channels:
        totals = channel["totals"]
        open_ = sum(
            totals[name] for name in ("fail", "unproven", "unexpected-pass", "inconclusive", "harness-error")
        )
        numbers = (totals["run"], totals["pass"], totals["expected-fail"], open_, totals["not-applicable"])
        rows.append(
            [channel["channel"], channel["version"] or "-", channel["level"]["name"], *map(str, numbers)]
        )
    return rows


def _channels(document: Document) -> dict[str, Mapping[str, Any]]:
    return {channel["channel"]: channel for channel in document["channels"]}


def _claims(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[list[str]]:
    for name, claim in after["capabilities"].items():
        was = before["capabilities"].get(name, {"state": "not known to this kit"})["state"]
        if was != claim["state"]:
            yield [name, was, claim["state"]]


def _verdicts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[list[str]]:
    was = {item["id"]: item["verdict"] for item in before["items"]}
    now = {item["id"]: item["verdict"] for item in after["items"]}
    for id in {**now, **was}:
        if was.get(id) != now.get(id):
            yield [id, was.get(id, "-"), now.get(id, "-")]


def _state(channel: Mapping[str, Any], name: str, notes: list[str]) -> str:
    claim = channel["capabilities"].get(name)
    if claim is None:
        return "-"
    state: str = _STATES.get(claim["state"]) or claim["state"]
    if claim["state"] == "supported":
        return f"{state} ({len(claim['proof'])})"
    if not claim["reason"]:
        return state
    note = f"{name}: {claim['reason']}"
    if note not in notes:
        notes.append(note)
    return f"{state} [{notes.index(note) + 1}]"


def _area(channel: Mapping[str, Any], area: str) -> str:
    verdicts = Counter(item["verdict"] for item in channel["items"] if item["area"] == area)
    outside = ("not-applicable", "provisional", "provisional-fail")
    ran = sum(count for verdict, count in verdicts.items() if verdict not in outside)
    return f"{verdicts['pass']}/{ran}" if ran else "-"
