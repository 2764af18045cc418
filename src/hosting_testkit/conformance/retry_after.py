"""The forms in which a platform, or what stands before it, says when to come again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

from ..drivers.trouble import PlatformAnswer


def other_forms(refusal: PlatformAnswer, at: float) -> Mapping[str, PlatformAnswer]:
    """A refusal with its `Retry-After` as the date `at`, which HTTP allows, and as nothing that can be read.

    A platform without that header has its own form, and no other.
    """
    kept = {name: value for name, value in refusal.headers.items() if name.lower() != "retry-after"}
    if len(kept) == len(refusal.headers):
        return {}
    forms = {"is a date": formatdate(at, usegmt=True), "cannot be read": "soon"}
    return {how: replace(refusal, headers={**kept, "retry-after": value}) for how, value in forms.items()}
