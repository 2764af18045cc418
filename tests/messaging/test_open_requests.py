"""What was asked of a person is kept for that person (channels 0.5)."""

from __future__ import annotations

from agent_framework import Content

from hosting import InMemoryHostStateStore
from hosting.messaging import OpenRequests, handle_of
from hosting.state.access import RecordState
from hosting_testkit.clock import VirtualClock


def asking(id: str) -> Content:
    return Content.from_function_approval_request(id, Content.from_function_call(id, "send", arguments="{}"))


async def kept(clock: VirtualClock, *ids: str) -> OpenRequests:
    store = InMemoryHostStateStore()
    await store.open()
    requests = OpenRequests(RecordState(store, "bot", clock), ttl=60)
    await RecordState(store, "bot", clock).write(requests.writes("ann", [asking(id) for id in ids]))
    return requests


async def test_the_one_who_was_asked_can_answer_and_nobody_else() -> None:
    requests = await kept(VirtualClock(), "call_1")
    answer = await requests.answer("ann", "call_1", approved=True)
    assert answer is not None
    assert (answer.type, answer.id, answer.approved) == ("function_approval_response", "call_1", True)
    assert await requests.answer("bob", "call_1", approved=True) is None
    assert await requests.answer("ann", "call_2", approved=True) is None


async def test_after_its_time_nobody_can_answer() -> None:
    clock = VirtualClock()
    requests = await kept(clock, "call_1")
    clock.advance(61)
    assert await requests.answer("ann", "call_1", approved=False) is None


async def test_a_long_id_has_a_short_handle_that_answers_it() -> None:
    long = "call_" + "x" * 200
    requests = await kept(VirtualClock(), long)
    handle = handle_of(long)
    assert len(handle) == 48
    assert handle_of(handle) == handle
    assert await requests.answer("ann", handle, approved=True) is not None


def test_other_requests_are_not_kept() -> None:
    requests = OpenRequests(state=None, ttl=None)  # type: ignore[arg-type]  # nothing is read
    assert requests.writes("ann", [Content.from_text("hello")]) == []
