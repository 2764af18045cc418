"""Defects in what is written to the table of tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from hosting.state import Statement

from .model import Rewrite, mutant

Change = Callable[[dict[str, Any]], dict[str, Any] | None]


def _in(name: str, change: Change) -> Callable[[], Rewrite]:
    """Changes the parameters of one statement, or drops it where `change` gives None."""

    def rewrite(statement: Statement) -> Statement | None:
        if statement.name != name:
            return statement
        params = change(dict(statement.params))
        return None if params is None else dataclasses.replace(statement, params=params)

    return lambda: rewrite


def _dropped(name: str) -> Callable[[], Rewrite]:
    return _in(name, lambda _: None)


def _put_back_instead_of(error: str | None) -> Callable[[], Rewrite]:
    def rewrite(statement: Statement) -> Statement:
        params = dict(statement.params)
        if statement.name != "tasks.end" or params["error"] != error:
            return statement
        del params["state"]
        return Statement("tasks.put_back", {**params, "refund": 0, "due": params["now"]}, 1)

    return lambda: rewrite


def _ends(drained: dict[str, Any]) -> Callable[[], Rewrite]:
    """What a drain gives back ends in another way."""

    def rewrite(statement: Statement) -> Statement:
        if statement.name != "tasks.put_back" or statement.params["refund"] == 0:
            return statement
        params = {key: value for key, value in statement.params.items() if key not in ("due", "refund")}
        return Statement("tasks.end", {**params, **drained}, 1)

    return lambda: rewrite


def _any_fence() -> Rewrite:
    fences: dict[str, int] = {}

    def rewrite(statement: Statement) -> Statement:
        if statement.name not in ("tasks.end", "tasks.put_back"):
            return statement
        # A task of the suite is overtaken once: the fence that holds then is the next one.
        id, fence = statement.params["id"], statement.params["fence"]
        fences[id] = fence + 1
        return dataclasses.replace(statement, params={**statement.params, "fence": fences[id]}, expect=None)

    return rewrite


mutant(
    "forgets-keys",
    "tasks of one key run side by side",
    "tasks_of_one_key_run_one_at_a_time_in_order",
    "a_task_that_waits_for_its_next_attempt_holds_its_key",
    rewrite=_in("tasks.add", lambda params: {**params, "order_key": None}),
)
mutant(
    "delay-frees-the-key",
    "a delayed task does not hold its key",
    "a_delayed_task_holds_its_key",
    rewrite=_in(
        "tasks.add", lambda params: {**params, "order_key": None} if params["due"] > params["now"] else params
    ),
)
mutant(
    "ignores-delay",
    "a delayed task runs at once",
    "a_delayed_task_is_not_early_and_lets_others_pass",
    rewrite=_in("tasks.add", lambda params: {**params, "due": params["now"]}),
)
mutant(
    "loses-odd-characters",
    "a NUL is left out of payloads",
    "a_payload_comes_back_as_it_was",
    rewrite=_in("tasks.add", lambda params: {**params, "payload": params["payload"].replace("\\u0000", "")}),
)
mutant(
    "forgets-the-trace",
    "the trace context is not kept",
    "a_task_goes_on_in_the_trace_it_was_scheduled_in",
    rewrite=_in("tasks.add", lambda params: {**params, "trace": None}),
)
mutant(
    "tries-for-ever",
    "attempts have no end",
    "a_task_out_of_attempts_is_dead_and_its_key_goes_on",
    rewrite=_in("tasks.add", lambda params: {**params, "max_attempts": 1_000_000}),
)
mutant(
    "never-waits",
    "a failed task is due again at once",
    "waits_between_attempts_grow",
    "a_longer_retry_after_wins",
    rewrite=_in("tasks.put_back", lambda params: {**params, "due": params["now"]}),
)
mutant(
    "tries-the-unknown-again",
    "a task without a handler is put back",
    "a_task_without_a_handler_is_dead_and_the_rest_goes_on",
    rewrite=_put_back_instead_of("unknown_handler"),
)
mutant(
    "tries-the-unreadable-again",
    "a task whose payload cannot be read is put back",
    "a_payload_that_the_decoder_refuses_is_dead_and_the_rest_goes_on",
    "a_payload_that_was_damaged_is_dead_and_the_rest_goes_on",
    rewrite=_put_back_instead_of("undecodable_payload"),
)
mutant(
    "drain-loses",
    "what a drain cuts off is never run again",
    "what_a_drain_cuts_off_goes_to_a_peer_at_once_and_costs_no_attempt",
    rewrite=_ends({"state": "cancelled", "error": None}),
)
mutant(
    "drain-costs-an-attempt",
    "what a drain cuts off has lost its attempt",
    "what_a_drain_cuts_off_goes_to_a_peer_at_once_and_costs_no_attempt",
    rewrite=_in("tasks.put_back", lambda params: {**params, "refund": 0}),
)
mutant(
    "drain-keeps-the-lease",
    "what a drain cuts off waits for the end of its lease",
    "what_a_drain_cuts_off_goes_to_a_peer_at_once_and_costs_no_attempt",
    rewrite=_in("tasks.put_back", lambda params: None if params["refund"] else params),
)
mutant(
    "drain-forgets-success",
    "what ends well is put back",
    "a_handler_that_saves_its_work_when_it_is_drained_has_succeeded",
    "a_drain_waits_for_a_handler_that_ends_in_time",
    rewrite=_put_back_instead_of(None),
)
mutant(
    "never-renews",
    "a lease is never renewed",
    "a_task_longer_than_the_lease_stays_with_its_runner",
    rewrite=_dropped("tasks.renew"),
)
mutant(
    "any-fence-will-do",
    "the end of an attempt counts although another has begun",
    "an_end_told_by_a_runner_that_was_overtaken_does_not_count",
    rewrite=lambda: _any_fence(),
)
mutant(
    "calls-cancelled-failed",
    "a cancelled task ends failed",
    "cancel_reaches_a_running_handler",
    "a_handler_that_fails_when_it_is_cancelled_is_not_tried_again",
    "cancel_reaches_a_handler_that_another_runner_runs",
    rewrite=_in(
        "tasks.end",
        lambda params: {**params, "state": "failed" if params["state"] == "cancelled" else params["state"]},
    ),
)
mutant(
    "never-buries",
    "a task whose last attempt died with its runner stays as it is",
    "a_task_whose_last_attempt_was_killed_is_dead_and_never_run",
    "a_cancelled_task_whose_runner_was_killed_is_not_run_again",
    rewrite=_dropped("tasks.bury"),
)
