"""How the kit sees the files that a channel keeps by itself."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from hosting_testkit.conformance import Selection, Verdict, items_of, run_item
from hosting_testkit.conformance.own_files import OwnFiles
from hosting_testkit.conformance.reference import TallyBotDriver


def test_what_is_written_and_read_again_is_kept(tmp_path: Path) -> None:
    files = OwnFiles()
    state, log, given = tmp_path / "state", tmp_path / "log", tmp_path / "given"
    given.write_text("before")
    with files.watched():
        given.read_text()
        log.write_text("never read")
        state.write_text("one")
        state.read_text()
    state.write_text("nobody watches any more")
    assert files.kept == [state.resolve()]
    assert files.truncated == [], "there was nothing to lose"


def test_a_file_that_is_emptied_to_be_written_is_told_from_one_that_is_replaced(tmp_path: Path) -> None:
    files = OwnFiles()
    emptied, opened, replaced = tmp_path / "emptied", tmp_path / "opened", tmp_path / "replaced"
    for path in (emptied, opened, replaced):
        path.write_text("one")
    with files.watched():
        emptied.write_text("two")
        os.close(os.open(opened, os.O_WRONLY | os.O_TRUNC))
        (tmp_path / "new").write_text("two")
        (tmp_path / "new").replace(replaced)
        for path in (emptied, opened, replaced):
            path.read_text()
    assert files.kept == sorted(path.resolve() for path in (emptied, opened, replaced))
    assert files.truncated == sorted(path.resolve() for path in (emptied, opened))


def test_other_threads_are_seen_and_compiled_modules_are_not(tmp_path: Path) -> None:
    files, state, module = OwnFiles(), tmp_path / "state", tmp_path / "module.pyc"

    def work() -> None:
        for path in (state, module):
            path.write_text("one")
            path.read_text()

    with files.watched():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert files.kept == [state.resolve()]


def test_the_reference_with_a_file_keeps_the_rule_about_files() -> None:
    (item,) = items_of(TallyBotDriver, Selection(patterns=["HC-DUR-004"]))
    result = run_item(TallyBotDriver, item)
    assert result.verdict is Verdict.PASS
    assert "a torn file after the start" in [check.name for check in result.checks]
