"""Takes out of a result what nobody may read and what differs between equal runs: secrets, nonces, random ids."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from .model import Check, ItemResult, WireRecord

_RANDOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-z])[0-9a-f]{16,}(?![0-9a-z])"
    r"|(?<=_)[0-9a-f]{16,}|(?<=-)[0-9a-f]{16,}| at 0x[0-9a-f]+",
    re.IGNORECASE,
)


_SHORTEST = 8  # shorter ones would mask ordinary words
_NEVER_SHOWN = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class Mask:
    """Names for the texts of one item that must not stand in its result.

    Args:
        secrets: Each secret's name by its value.
        nonces: Random texts, in the order in which they were made.
        names: What else has another name in reports.
    """

    def __init__(
        self, secrets: Mapping[str, str], nonces: Sequence[str] = (), names: Mapping[str, str] | None = None
    ) -> None:
        long = {value: name for value, name in secrets.items() if len(value) >= _SHORTEST}
        known = {form: f"<secret {name}>" for value, name in long.items() for form in _forms(value)}
        known |= {value: f"<nonce {number}>" for number, value in enumerate(nonces, 1)}
        known |= names or {}
        self._known = known
        self._secrets = list(long)
        longest_first = sorted(known, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if known else None
        self._ids: dict[str, str] = {}

    def text(self, text: str) -> str:
        """`text` with every known one replaced by its name, and random ids numbered by first appearance."""
        if self._pattern is not None:
            text = self._pattern.sub(lambda match: self._known[match[0]], text)
        return _RANDOM.sub(self._numbered, text)

    def value(self, value: Any) -> Any:
        """A number, a truth value or None as it is; everything else as masked text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(value if isinstance(value, str) else repr(value))

    def result(self, result: ItemResult) -> ItemResult:
        """The result with all of its texts masked.

        A last look makes sure: should a secret still stand in it, everything but the verdict is dropped.
        """
        masked = replace(
            result,
            reason=self.text(result.reason),
            checks=tuple(self._check(check) for check in result.checks),
            log=tuple(map(self.text, result.log)),
            wire=tuple(self._record(record) for record in result.wire),
        )
        shown = repr((masked.reason, masked.checks, masked.log, masked.wire))
        if any(secret in shown for secret in self._secrets):
            told = "a secret stood in this result even after masking, so it is not shown; please report this"
            return replace(masked, reason=told, checks=(), log=(), wire=())
        return masked

    def _check(self, check: Check) -> Check:
        return replace(
            check,
            name=self.text(check.name),
            expected=self.value(check.expected),
            observed=self.value(check.observed),
        )

    def _record(self, record: WireRecord) -> WireRecord:
        headers = tuple(
            (name, "<masked>" if name.lower() in _NEVER_SHOWN else self.text(value))
            for name, value in record.headers
        )
        return replace(record, text=self.text(record.text), headers=headers)

    def _numbered(self, match: re.Match[str]) -> str:
        if match[0].startswith(" at 0x"):
            return ""
        return self._ids.setdefault(match[0], f"<id {len(self._ids) + 1}>")


def _forms(secret: str) -> list[str]:
    """A secret as it may stand on a wire."""
    return [secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()]
