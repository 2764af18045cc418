"""What a report says of places: the author's own lines, with nothing of the machine's paths."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

import pytest

import hosting_testkit
from hosting_testkit.conformance.own_lines import OwnLines
from hosting_testkit.conformance.places import place_of
from hosting_testkit.conformance.reference import RpcDriver

LINES = OwnLines(RpcDriver)
KIT = Path(hosting_testkit.__file__).parent
MODEL = str(KIT / "conformance" / "reference" / "rpc.py")
LIBRARY = str(KIT / "clock.py")


def here() -> FrameType:
    return sys._getframe()


def test_a_channels_own_package_is_closest_and_libraries_are_far() -> None:
    assert [LINES.closeness(file) for file in (MODEL, __file__, LIBRARY, "<string>")] == [2, 1, 0, 0]


def test_of_all_frames_the_authors_innermost_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    frame = here()
    assert LINES.innermost(frame) is frame
    monkeypatch.chdir(tmp_path)
    shown = LINES.standing(frame)
    assert shown.startswith("conformance/test_own_lines.py:")
    assert shown.endswith("in here: return sys._getframe()")
    assert LINES.trace(frame)[-1] == shown
    monkeypatch.chdir(Path(__file__).parent)
    assert LINES.standing(frame).startswith("test_own_lines.py:")


def test_a_hang_is_told_with_the_authors_lines_and_the_end_of_each_task() -> None:
    text = "\n".join(
        [
            "at virtual time 0 s every task is blocked",
            "  task 'a'",
            f"    {LIBRARY}:1 in outer",
            f"    {MODEL}:2 in Channel.handle",
            f"    {LIBRARY}:3 in inner",
            "  task 'b'",
            f"    {LIBRARY}:4 in only",
        ]
    )
    told = [line.split(":")[0] for line in LINES.in_short(text).splitlines()]
    assert [Path(line.strip()).name for line in told] == [
        "at virtual time 0 s every task is blocked",
        "task 'a'",
        "rpc.py",
        "clock.py",
        "task 'b'",
        "clock.py",
    ]
    assert (
        LINES.waiting([f"{LIBRARY}:1 in outer", f"{MODEL}:2 in Channel.handle"])[-1]
        .partition(": ")[0]
        .endswith("rpc.py:2 in Channel.handle")
    )


def test_what_was_typed_in_has_no_place() -> None:
    space: dict[str, object] = {}
    exec(compile("def endpoint(): ...", str(Path.cwd() / "typed in"), "exec"), space)
    assert place_of(space["endpoint"]) == ""
    assert place_of(here).startswith("tests/testkit/conformance/test_own_lines.py:") or place_of(here) == ""
