"""The events of background invocations: the same for every reader, from any place, on any host (contract 12.2, 7.3, 7.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from channels.invocations.tests.serving import (
    INVOCATION_ID,
    PATH,
    SESSION_ID,
    assembled,
    ended,
    events_of,
    invoke,
    replicas,
    serve,
    status_of,
)
from channels.invocations.tests.test_background import JOB, MIXED
from channels.invocations.tests.test_stream import SCRIPTS
from hosting import HostLimits
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.streams import SSEEvent, SSEParser, sse_events, validate_sse
from hosting_testkit.targets import Echo, Failing, Hang, Recorder, Scripted, steps

COMMENT = b": keep-alive\n\n"


async def read(
    host: InMemoryHost, after: int | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """The events behind `after`, without comments."""
    query = "" if after is None else f"&starting_after={after}"
    reply = await host.get(f"{PATH}/job?stream=true{query}", headers=headers)
    assert (reply.status_code, reply.headers[INVOCATION_ID]) == (200, "job")
    return reply.content.replace(COMMENT, b"")


def ids_of(body: bytes) -> list[int]:
    events = (record for record in SSEParser().feed(body) if isinstance(record, SSEEvent))
    return [int(event.id or 0) for event in events]


@virtual_time
async def test_every_reader_gets_the_same_bytes_and_the_rest_from_any_place() -> None:
    script = (*MIXED, steps.Stop("middle"), steps.Sleep(40), *(f"{n} " for n in range(40)))
    target = Scripted(*script)
    async with serve(target) as host:
        live = asyncio.create_task(invoke(host, headers=JOB, background=True, stream=True))
        await target.gates.reached("middle")
        joined = asyncio.create_task(read(host))
        resumed = asyncio.create_task(read(host, 2))
        await asyncio.sleep(20)
        target.gates.release("middle")
        whole = (await live).content.replace(COMMENT, b"")
        numbers = ids_of(whole)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 5
        assert await joined == whole == await read(host)
        for after in range(len(numbers) + 2):
            rest = await read(host, after)
            assert ids_of(rest) == numbers[after:]
            assert whole.endswith(rest)
        assert await resumed == await read(host, 2)
        events = events_of(whole)
        name, answer = events[-1]
        assert (name, answer) == ("completed", await ended(host))
        assert assembled(events) == answer["messages"]
        assert validate_sse("text/event-stream", whole) == []


@virtual_time
@pytest.mark.parametrize("name", SCRIPTS)
async def test_events_add_up_to_the_answer_of_the_foreground(name: str) -> None:
    async with serve(Scripted(*SCRIPTS[name])) as host:
        whole = (await invoke(host, session_id="s", headers={INVOCATION_ID: "other"})).json()
        reply = await invoke(host, session_id="s", headers=JOB, background=True, stream=True)
    events = events_of(reply.content)
    assert events[-1] == (whole["status"], {**whole, "invocation_id": "job"})
    assert assembled(events) == whole["messages"]


@virtual_time
async def test_the_head_goes_out_before_the_run_says_anything() -> None:
    target = Hang()
    body = {"input": "x", "background": True, "stream": True, "session_id": "s"}
    async with serve(target) as host, host.stream("POST", PATH, json=body, headers=JOB) as reply:
        async with asyncio.timeout(1):
            assert await anext(reply.aiter_raw()) == COMMENT
        assert (reply.status_code, reply.headers[INVOCATION_ID], reply.headers[SESSION_ID]) == (
            200,
            "job",
            "s",
        )
        assert await status_of(host) in ("queued", "in_progress")


@virtual_time
async def test_silence_is_filled_with_comments() -> None:
    target = Scripted("a", steps.Sleep(40), "b")
    async with serve(target, host_options={"limits": HostLimits(keepalive=15)}) as host:
        reply = await invoke(host, background=True, stream=True)
    assert reply.content.count(COMMENT) == 3
    assert events_of(reply.content)[-1][1]["output"] == "ab"


@virtual_time
async def test_a_silence_inside_an_item_does_not_make_readers_differ() -> None:
    target = Scripted(steps.Reasoning("think"), steps.Sleep(40), steps.Reasoning("ing"), "said")
    async with serve(target) as host:
        live = (await invoke(host, headers=JOB, background=True, stream=True)).content
        assert live.count(COMMENT) == 3
        assert live.replace(COMMENT, b"") == await read(host)


@virtual_time
async def test_a_reader_that_leaves_does_not_end_the_run_and_reads_on_later() -> None:
    target = Scripted("a", steps.Stop("middle"), "b")
    body = {"input": "x", "background": True, "stream": True}
    async with serve(target) as host:
        async with host.stream("POST", PATH, json=body, headers=JOB) as reply:
            events = sse_events(reply.aiter_bytes())
            first = await anext(events)
            assert first.id == "1"
        assert await status_of(host) == "in_progress"
        target.gates.release("middle")
        rest = await read(host, headers={"last-event-id": first.id or ""})
        assert [name for name, _ in events_of(rest)] == ["delta", "completed"]
        assert events_of(rest)[0][1]["text"] == "b"


@virtual_time
async def test_the_last_event_id_wins_over_the_query() -> None:
    async with serve(Echo()) as host:
        await invoke(host, headers=JOB, background=True)
        assert ids_of(await read(host, 0, {"last-event-id": "1"})) == [2]


@pytest.mark.parametrize("given", ["-1", "x", "1.5", "\u0663", "9" * 40])
async def test_a_place_that_is_no_number_is_400(given: str) -> None:
    async with serve(Echo()) as host:
        await invoke(host, headers=JOB, background=True)
        reply = await host.get(f"{PATH}/job", params={"stream": "true", "starting_after": given})
    assert reply.status_code == 400
    assert reply.json()["error"]["details"][0]["target"] == "starting_after"


async def test_only_background_invocations_are_streamed_again() -> None:
    async with serve(Echo()) as host:
        await invoke(host, headers=JOB)
        reply = await host.get(f"{PATH}/job?stream=true")
        assert (await host.get(f"{PATH}/job?stream=false")).json()["status"] == "completed"
    assert (reply.status_code, reply.json()["error"]["details"][0]["target"]) == (400, "stream")


@virtual_time
@pytest.mark.parametrize("background", [False, True])
async def test_the_same_id_again_as_a_stream_gives_its_events(background: bool) -> None:
    script = Scripted("a", steps.Stop("middle"), "b")
    target, gates = Recorder(script), script.gates
    async with serve(target) as host:
        await invoke(host, headers=JOB, background=True)
        await gates.reached("middle")
        during = asyncio.create_task(invoke(host, headers=JOB, background=background, stream=True))
        await asyncio.sleep(1)
        gates.release("middle")
        replies = [await during, await invoke(host, headers=JOB, background=background, stream=True)]
        whole = await read(host)
        assert [reply.content.replace(COMMENT, b"") for reply in replies] == [whole, whole]
    assert len(target.runs) == 1


@virtual_time
async def test_a_failure_is_the_last_event() -> None:
    async with serve(Failing(after=2)) as host:
        reply = await invoke(host, headers=JOB, background=True, stream=True)
        name, answer = events_of(reply.content)[-1]
        assert (reply.status_code, name, answer["error"]["code"]) == (200, "failed", "internal_error")
        assert answer["messages"] == assembled(events_of(reply.content)) != []
        assert answer == await ended(host)
    assert Failing.SECRET not in reply.text


@virtual_time
async def test_a_cancelled_one_says_so_to_its_readers() -> None:
    target = Hang("some words")
    async with serve(target) as host:
        reading = asyncio.create_task(invoke(host, headers=JOB, background=True, stream=True))
        await asyncio.sleep(1)
        answer = (await host.post(f"{PATH}/job/cancel")).json()
        assert (answer["status"], answer["output"]) == ("cancelled", "some words")
        assert events_of((await reading).content)[-1] == ("cancelled", answer)


@virtual_time
async def test_another_replica_polls_reads_and_cancels() -> None:
    target = Scripted("a", steps.Stop("middle"), "b")
    async with replicas(target, Echo()) as [(one, _), (two, second)]:
        second.cut = True  # so that the first one takes the run
        await invoke(one, headers=JOB, background=True)
        await target.gates.reached("middle")
        second.cut = False
        assert await status_of(two) == "in_progress"
        again = await invoke(two, headers=JOB, background=True)
        assert (again.status_code, again.json()["status"]) == (202, "in_progress")
        reading = asyncio.create_task(read(two))
        await asyncio.sleep(2)
        assert (await two.post(f"{PATH}/job/cancel")).json()["status"] == "cancelled"
        assert await reading == await read(one)
        assert await status_of(one) == "cancelled"


@virtual_time
async def test_one_that_was_read_ends_interrupted_when_its_host_is_gone() -> None:
    target = Scripted("half ", steps.Stop("middle"), "rest")
    other = Recorder(Echo())
    async with replicas(target, other) as [(one, first), (two, second)]:
        second.cut = True
        await invoke(one, headers=JOB, background=True)
        await target.gates.reached("middle")
        second.cut = False
        reading = asyncio.create_task(read(two))
        await asyncio.sleep(2)
        first.cut = True
        events = events_of(await reading)
        name, answer = events[-1]
        assert (name, answer["error"]["code"], answer["output"]) == ("failed", "interrupted", "half ")
        assert assembled(events) == answer["messages"]
        assert await ended(two) == answer
    assert other.runs == []


@virtual_time
async def test_one_that_was_read_ends_interrupted_at_a_restart() -> None:
    target = Scripted("half ", steps.Stop("middle"), "rest")
    async with serve(target) as host:
        body = {"input": "x", "background": True, "stream": True}
        async with host.stream("POST", PATH, json=body, headers=JOB) as reply:
            assert await anext(sse_events(reply.aiter_bytes()))
        await host.restart()
        answer = await ended(host)
        assert (answer["status"], answer["error"]["code"]) == ("failed", "interrupted")
        assert events_of(await read(host))[-1] == ("failed", answer)


@virtual_time
async def test_the_stream_hook_decides_what_readers_get() -> None:
    def hook(update: Any) -> Any:
        return None if update.text == "b" else update

    async with serve(Scripted("a", "b", "c"), stream_update_hook=hook) as host:
        reply: httpx.Response = await invoke(host, headers=JOB, background=True, stream=True)
        assert events_of(reply.content)[-1] == ("completed", await ended(host))
        assert (await ended(host))["output"] == "ac"
