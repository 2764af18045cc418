"""What failures of seeded defects look like, so that a failure can be told from which one it looks most alike.

`python -m conformance.kills` writes `signatures.json` from the kill table's runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from .ledger import short_name
from .model import ItemResult, Verdict

FILE = "signatures.json"

_NEAR = 0.55
_SURE = 0.8
_CHECKS, _WORDS = 0.6, 0.4
_MOST_WORDS = 40
_WORD = re.compile(r"[a-z][a-z_]{2,}")
_NAMED = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How one rule saw one seeded defect.

    Args:
        rule: Id of the rule.
        mutant: Id of the defect.
        channel: The reference channel that had it.
        variant: The transport.
        defect: What was broken, in words.
        checks: Short names of the checks and controls that did not hold, sorted.
        words: Words of what was observed, sorted.
    """

    rule: str
    mutant: str
    channel: str
    variant: str
    defect: str
    checks: Sequence[str]
    words: Sequence[str]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What there is one signature of."""
        return self.rule, self.mutant, self.channel, self.variant


def traits(result: ItemResult) -> tuple[Sequence[str], Sequence[str]]:
    """Checks and words of a failure, as in `Signature`."""
    broken = [check for check in result.checks if not check.ok]
    checks = {("control-" if check.control else "") + short_name(check.name) for check in broken}
    told = " ".join([result.reason, *(f"{check.expected} {check.observed}" for check in broken)])
    words = _WORD.findall(_NAMED.sub(" ", told.lower()))
    return sorted(checks), sorted(dict.fromkeys(words[: _MOST_WORDS * 5]))[:_MOST_WORDS]


def nearest(result: ItemResult) -> Signature | None:
    """The seeded defect whose failure looks most like this one, if one looks alike enough."""
    return next(iter(_nearest(result)[1]), None)


def diagnosis(result: ItemResult) -> tuple[str, str] | None:
    """What a failure comes of, as seeded defects tell, and how sure that is: `likely` or `perhaps`.

    Defects that it looks alike to are all named.
    """
    score, rows = _nearest(result)
    if not rows or result.verdict is not Verdict.FAIL:
        return None
    told = dict.fromkeys(f"{row.defect} (compare mutant {row.mutant})" for row in rows)
    return "likely" if score >= _SURE else "perhaps", ", or ".join(told)


def _nearest(result: ItemResult) -> tuple[float, Sequence[Signature]]:
    """The rows that look most like a failure, with their likeness; none if they do not look alike enough."""
    checks, words = traits(result)
    rows = [(_likeness(row, checks, words), row) for row in signatures() if row.rule == result.rule]
    score = max((likeness for likeness, _ in rows), default=0.0)
    return score, [row for likeness, row in rows if likeness == score >= _NEAR]


@cache
def signatures() -> Sequence[Signature]:
    """All that are packaged."""
    file = files(__name__.rpartition(".")[0]) / FILE
    rows: Any = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    return tuple(Signature(**row) for row in rows)


def to_text(rows: Collection[Signature], order: Mapping[str, int]) -> str:
    """The file, one signature a line; `order` numbers the rules."""
    ordered = sorted(rows, key=lambda row: (order[row.rule], *row.key))
    return "[\n" + ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in ordered) + "\n]\n"


def _likeness(row: Signature, checks: Sequence[str], words: Sequence[str]) -> float:
    same_checks = _share(row.checks, checks)
    return _CHECKS * same_checks + _WORDS * _share(row.words, words) if same_checks else 0.0


def _share(first: Collection[str], second: Collection[str]) -> float:
    """Common part of two sets, from 0 to 1; two empty ones are alike."""
    one, two = set(first), set(second)
    return len(one & two) / len(one | two) if one or two else 1.0
