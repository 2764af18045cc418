"""`hosting dead-letters`: what was given up is seen, tried again and dropped, while hosts run (contract 4.3, 4.7)."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from tests.cli.operators import TEXT, Place, bury, bury_task
from tests.real_server.servers import started


def ids(place: Place) -> list[str]:
    return [letter["id"] for letter in place.json("dead-letters", "list")]


def test_what_was_given_up_is_listed_shown_tried_again_and_dropped(place: Place) -> None:
    place.change(bury)
    listed = place.process("dead-letters", "list")
    first, second, *others = ids(place)
    assert others == ["dlv_dead", "dlv_unknown", "task_dead"]
    assert listed.returncode == 0
    assert "event     " + first in listed.stdout and "5 dead letters" in listed.stdout
    assert TEXT not in listed.stdout

    (shown,) = place.json("dead-letters", "show", first)
    assert (shown["delivery_id"], shown["attempts"], shown["channel"]) == ("update-1", 1, "notes")
    assert TEXT not in place.run("dead-letters", "show", first, "dlv_dead").stdout
    assert TEXT in place.run("dead-letters", "show", "dlv_dead", "--content").stdout
    (task,) = place.json("dead-letters", "show", "task_dead")
    assert (task["channel"], task["error"], task["key"]) == ("remind", "KeyError", "of task_dead")
    assert TEXT in place.run("dead-letters", "show", "task_dead", "--content").stdout

    assert place.run("dead-letters", "retry", first).returncode == 0
    refused = place.process("dead-letters", "retry", "dlv_unknown")
    assert refused.returncode == 1
    assert "may be seen twice" in refused.stderr and "--even-if-unknown" in refused.stderr
    assert place.run("dead-letters", "drop", second).returncode == 0
    assert ids(place) == ["dlv_dead", "dlv_unknown", "task_dead"]

    assert place.run("dead-letters", "retry-all").returncode == 0
    assert ids(place) == ["dlv_unknown"]
    again = place.run("dead-letters", "retry", "dlv_unknown", "--even-if-unknown")
    assert again.returncode == 0 and "may be seen twice" in again.stderr
    assert ids(place) == []
    place.change(partial(bury_task, now=2, id="task_again"))
    assert place.run("dead-letters", "drop", "task_again").returncode == 0
    assert ids(place) == []
    for id in (first, "dlv_unknown", "task_dead", "nothing"):
        missing = place.run("dead-letters", "retry", id)
        assert missing.returncode == 1 and f"found no dead letter '{id}'" in missing.stderr


def test_running_hosts_pick_up_what_is_tried_again_within_seconds(place: Place, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    environment = {"NOTES": str(notes), "SCHEMA": place.schema}
    with started(tmp_path, host="tests.cli.letters_host:host", environment=environment):
        place.change(bury)
        time.sleep(6)  # the hosts look every 5 s: what was given up stays so
        assert notes.read_text() == ""
        assert place.process("dead-letters", "retry-all", "--even-if-unknown").returncode == 0
        deadline = time.monotonic() + 15
        while len(lines := notes.read_text().splitlines()) < 5:
            assert time.monotonic() < deadline, lines

    assert sorted(lines) == [
        "processed update-1",
        "processed update-2",
        "pushed dlv_dead",
        "pushed dlv_unknown",
        "ran task_dead",
    ]


def test_only_those_of_one_channel(place: Place) -> None:
    place.change(bury)

    assert place.json("dead-letters", "list", "--channel", "other") == []
    assert len(place.json("dead-letters", "list", "--channel", "notes")) == 4
