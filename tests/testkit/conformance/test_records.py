"""The kit hears what channels log, print and warn of, whichever way they do it."""

from __future__ import annotations

import logging
import re
import sys
import warnings

from hosting_testkit.conformance.events import EventLog
from hosting_testkit.conformance.logs import captured_logs
from hosting_testkit.conformance.records import everything_said

HERE = "conformance/test_records.py"


def test_records_of_every_logger_are_kept_with_their_extra_fields_and_traces() -> None:
    with everything_said() as said:
        logging.getLogger("a.channel").debug("quiet %d", 1, extra={"native": "u_1"})
        try:
            raise RuntimeError("the secret")
        except RuntimeError:
            logging.getLogger("hosting.x").exception("loud")
    first, second = said.lines
    assert re.sub(r":\d+", ":N", first) == f"DEBUG {HERE}:N a.channel: quiet 1 {{'native': 'u_1'}}"
    assert " hosting.x: loud" in second
    assert "the secret" in second
    assert [record.name for record in said.at_least(logging.ERROR)] == ["hosting.x"]


def test_records_that_the_kit_keeps_from_the_root_are_heard_once() -> None:
    with captured_logs([], EventLog()), everything_said() as said:
        logging.getLogger("hosting.x").warning("one")
    (line,) = said.lines
    assert line.endswith(" hosting.x: one")


def test_prints_and_warnings_are_kept() -> None:
    with everything_said() as said:
        sys.stdout.write("printed\n")
        sys.stderr.write("told\n")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert said.printed == "printed\ntold\n"
    (warning,) = said.warnings
    assert warning.startswith(f"DeprecationWarning: old ({HERE}:")


def test_nothing_is_left_behind() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), sys.stdout)
    with everything_said():
        pass
    assert (root.level, list(root.handlers), sys.stdout) == before
