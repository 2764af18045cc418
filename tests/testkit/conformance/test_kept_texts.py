"""What a channel keeps is found wherever it keeps it, and nothing of others is counted."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from hosting_testkit.conformance.kept_texts import kept_texts, kept_things


@dataclass
class Cache:
    found: dict[str, int] = field(default_factory=dict[str, int])


class Slotted:
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Channel:
    shared: ClassVar[list[str]] = []

    def __init__(self, **kept: Any) -> None:
        self.__dict__.update(kept)


@pytest.mark.parametrize(
    "kept",
    [
        "event-1",
        b"event-1",
        {"event-1"},
        {"event-1": 0},
        [("a", ["event-1"])],
        OrderedDict({"event-1": 0}),
        deque(["event-1"]),
        Cache({"event-1": 0}),
        Slotted("event-1"),
    ],
    ids=lambda kept: type(kept).__name__,
)
def test_a_text_is_found_in(kept: object) -> None:
    assert any("event-1" in text for text in kept_texts(Channel(kept=kept)))
    assert not any("event-1" in text for text in kept_texts(Channel()))


def test_a_text_is_found_in_a_class_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Channel, "shared", ["event-1"])
    assert "event-1" in kept_texts(Channel())


def test_a_text_is_found_under_a_name_of_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "seen", {"event-1": 0})
    assert "event-1" in kept_texts(Channel())


def test_things_are_counted_wherever_they_are() -> None:
    none, some = (Channel(kept=[object() for _ in range(count)]) for count in (0, 7))
    assert kept_things(some) - kept_things(none) == 7
    assert kept_things(Channel(kept=["event-1", "event-1"])) - kept_things(none) == 2


def test_objects_of_other_packages_are_not_entered() -> None:
    logger = logging.getLogger("event-1")
    assert "event-1" not in kept_texts(Channel(logger=logger))


def test_a_ring_of_containers_has_an_end() -> None:
    ring: list[Any] = ["event-1"]
    ring.append(ring)
    assert kept_texts(Channel(ring=ring)).count("event-1") == 1
