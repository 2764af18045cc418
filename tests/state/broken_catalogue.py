"""Every broken store with the check of the suite that must find it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hosting import HostStateStore, SqliteHostStateStore
from hosting_testkit.stores import StorePlace
from tests.state.broken_answers import (
    always_mine,
    always_new,
    as_floats,
    backwards,
    counted_twice,
    in_utf16_order,
    inclusive,
    number,
    text,
    unfenced,
    unknown_to_readers,
    with_params,
)
from tests.state.broken_stores import (
    ClosesOnce,
    CutsLongUnits,
    DropsWhatWaits,
    FailsTogether,
    KeepsTheFirst,
    LeavesATask,
    LeavesAThread,
    NeverComesBack,
    NeverSignals,
    OneByOne,
    OneLoop,
    OpensByItself,
    OpensNewer,
    RaisesWhatItGets,
    ReadsOneByOne,
    RemembersReads,
    ReplacesDamaged,
    RunsBackwards,
    SaysItIsDurable,
    SignalsBefore,
    SignalsEveryone,
    SkipsUnknown,
    SuffersCancellation,
    TakesTwice,
    TouchesWhatItRefuses,
    Wrapped,
    WritesLater,
    answering,
    changing,
    storing,
)
from tests.state.suite_places import MemoryPlace, SqlitePlace

BROKEN: Mapping[str, tuple[type[Wrapped], str]] = {
    "answers nothing": (answering(unknown_to_readers), "answers_and_says_what_it_is"),
    "runs backwards": (RunsBackwards, "runs_statements_in_order_each_seeing_those_before"),
    "one by one": (OneByOne, "keeps_a_unit_whole_or_not_at_all"),
    "ignores expect": (
        changing(lambda each: replace(each, expect=None)),
        "checks_the_rows_that_a_statement_expects",
    ),
    "ignores expect of saves": (
        changing(lambda each: replace(each, expect=None)),
        "lets_one_of_many_saves_under_a_fence_win",
    ),
    "skips unknown statements": (SkipsUnknown, "refuses_what_it_cannot_run_and_keeps_nothing_of_it"),
    "fails together": (FailsTogether, "fails_one_unit_without_those_beside_it"),
    "keeps the first value": (KeepsTheFirst, "inserts_once_and_replaces"),
    "cuts long units": (CutsLongUnits, "commits_a_turn"),
    "claims are always new": (answering(always_new), "lets_one_of_many_claims_be_new"),
    "remembers reads": (RemembersReads, "loses_no_update_between_a_read_and_a_fenced_write"),
    "remembers reads of others": (RemembersReads, "shows_a_unit_to_others_once_it_returned"),
    "reads one by one": (ReadsOneByOne, "shows_a_unit_one_moment"),
    "mixes units": (OneByOne, "finishes_units_that_write_the_same_rows_in_other_orders"),
    "counts removed rows twice": (answering(counted_twice), "lets_two_sweeps_work_side_by_side"),
    "reads backwards": (answering(backwards), "numbers_rows_in_the_order_of_adding"),
    "knows no lanes": (changing(lambda each: with_params(each, lane=None)), "gives_the_first_of_each_lane"),
    "knows no limit": (changing(lambda each: with_params(each, limit=1_000)), "gives_no_more_than_the_limit"),
    "takes twice": (TakesTwice, "shares_work_between_takers_and_does_nothing_twice"),
    "knows no fence": (changing(unfenced), "fences_off_a_holder_that_was_overtaken"),
    "locks for everyone": (answering(always_mine), "locks_a_session_for_one_turn_first_come_first_served"),
    "knows no order of tasks": (
        changing(lambda each: with_params(each, order_key=None)),
        "claims_tasks_in_order_per_key",
    ),
    "composes characters": (
        storing(text(lambda value: unicodedata.normalize("NFC", value))),
        "keeps_texts_as_they_are_and_sorts_them_by_bytes",
    ),
    "folds case": (storing(text(str.casefold)), "keeps_texts_as_they_are_and_sorts_them_by_bytes"),
    "strips blanks": (
        storing(text(lambda value: value.strip(" "))),
        "keeps_texts_as_they_are_and_sorts_them_by_bytes",
    ),
    "sorts by UTF-16": (answering(in_utf16_order), "keeps_texts_as_they_are_and_sorts_them_by_bytes"),
    "pages repeat a row": (changing(inclusive), "reads_a_range_of_keys_page_by_page"),
    "keeps numbers as floats": (answering(as_floats), "keeps_numbers_of_64_bits"),
    "keeps 32 bits": (storing(number(lambda value: value & 0x7FFFFFFF)), "keeps_numbers_of_64_bits"),
    "clips numbers": (
        storing(number(lambda value: max(-(2**63), min(value, 2**63 - 1)))),
        "refuses_larger_numbers_whole",
    ),
    "cuts at NUL": (
        storing(text(lambda value: value.partition("\0")[0])),
        "refuses_or_keeps_texts_that_are_hard_to_store",
    ),
    "replaces surrogates": (
        storing(text(lambda value: value.encode("utf-8", "replace").decode())),
        "refuses_or_keeps_texts_that_are_hard_to_store",
    ),
    "cuts at a megabyte": (storing(text(lambda value: value[: 2**20])), "keeps_large_texts_and_large_units"),
    "cuts keys": (storing(text(lambda value: value[:255])), "keeps_keys_of_a_kibibyte"),
    "opens by itself": (OpensByItself, "opens_and_closes_and_is_unavailable_otherwise"),
    "closes once": (ClosesOnce, "opens_and_closes_and_is_unavailable_otherwise"),
    "leaves a task": (LeavesATask, "leaves_no_task_and_no_thread"),
    "leaves a thread": (LeavesAThread, "leaves_no_task_and_no_thread"),
    "drops what waits": (DropsWhatWaits, "finishes_at_its_close_what_had_begun"),
    "suffers cancellation": (SuffersCancellation, "works_on_when_callers_are_cancelled"),
    "keeps half of what was cancelled": (OneByOne, "works_on_when_callers_are_cancelled"),
    "knows one loop": (OneLoop, "serves_callers_of_several_loops"),
    "forgets": (SaysItIsDurable, "holds_everything_when_it_is_opened_again"),
    "writes later": (WritesLater, "loses_nothing_acknowledged_when_its_process_is_killed"),
    "never signals": (NeverSignals, "wakes_who_waits_for_a_topic"),
    "signals before": (SignalsBefore, "wakes_who_waits_for_a_topic"),
    "signals everyone": (SignalsEveryone, "wakes_who_waits_for_a_topic"),
    "raises what it gets": (RaisesWhatItGets, "says_so_while_its_state_is_away_and_works_again_afterwards"),
    "never comes back": (NeverComesBack, "says_so_while_its_state_is_away_and_works_again_afterwards"),
    "opens newer states": (OpensNewer, "refuses_a_newer_state_and_leaves_it"),
    "replaces damaged states": (ReplacesDamaged, "refuses_a_damaged_state_and_leaves_it"),
    "touches what it refuses": (TouchesWhatItRefuses, "refuses_a_damaged_state_and_leaves_it"),
}
"""By what is wrong: the store, and the check that must find it."""

ON_A_FILE = frozenset(
    name
    for name, (_, check) in BROKEN.items()
    if check.startswith(
        ("refuses_a_", "says_so", "loses_nothing_ack", "shows_a_unit_to_others", "holds_everything")
    )
)


class BrokenMemory(MemoryPlace):
    def __init__(self, name: str) -> None:
        self._broken = BROKEN[name][0]

    def store(self) -> HostStateStore:
        return self._broken(super().store())


class BrokenFile(SqlitePlace):
    factory = "tests.state.broken_catalogue:on_a_file"

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder)
        self._name = name
        self.argument = f"{name}:{self.path}"

    def store(self) -> HostStateStore:
        return BROKEN[self._name][0](SqliteHostStateStore(self.path, busy_timeout=0.05))


def on_a_file(argument: str) -> HostStateStore:
    name, _, path = argument.partition(":")
    return BROKEN[name][0](SqliteHostStateStore(path))


def broken_place(name: str, folder: Path) -> StorePlace:
    return BrokenFile(folder, name) if name in ON_A_FILE else BrokenMemory(name)
