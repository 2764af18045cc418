"""The forms in which a platform, or what stands before it, says when to come again."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate

from ..drivers.trouble import PlatformAnswer

DATE, MISSING = "is a date", "is not there"


@contextmanager
def far_from_utc() -> Generator[None]:
    """The machine's own time is twelve hours and more away from UTC, where the system can be told so."""
    before = os.environ.get("TZ")
    try:
        _move("KIT-12:45")
        yield
    finally:
        _move(before)


def _move(zone: str | None) -> None:
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    if hasattr(time, "tzset"):
        time.tzset()


def other_forms(refusal: PlatformAnswer, at: float) -> Mapping[str, PlatformAnswer]:
    """A refusal with its `Retry-After` as the date `at`, which HTTP allows, as nothing that can be read, and without one.

    A platform without that header has its own form, and no other.
    """
    kept = {name: value for name, value in refusal.headers.items() if name.lower() != "retry-after"}
    if len(kept) == len(refusal.headers):
        return {}
    forms = {DATE: formatdate(at, usegmt=True), "cannot be read": "soon", "is endless": "9" * 400}
    told = {how: replace(refusal, headers={**kept, "retry-after": value}) for how, value in forms.items()}
    return {**told, MISSING: replace(refusal, headers=kept)}
