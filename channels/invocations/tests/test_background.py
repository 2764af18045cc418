"""Background invocations: asked for, polled, cancelled, sent again (channels 2.1, contract 12, 4.3, 6.12)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from channels.invocations.tests.serving import (
    ANN,
    BOB,
    INVOCATION_ID,
    PATH,
    SESSION_ID,
    ended,
    invoke,
    recording,
    replicas,
    serve,
    serve_ann_and_bob,
    status_of,
)
from channels.invocations.tests.test_open_requests import approval, cleaner
from hosting import ChannelRequest, HostLimits
from hosting_invocations import InvocationsChannel, ParsedInvocation
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Counting, Echo, Failing, Gate, Recorder, Scripted, steps

JOB = {INVOCATION_ID: "job"}
MIXED = (
    steps.Reasoning("hm"),
    "be",
    "fore",
    steps.ToolCall("tool", {"a": 1}, split=3),
    steps.ToolResult("found"),
    "after",
    steps.Media(),
    steps.Usage(3, 4),
)


async def cancel(host: InMemoryHost, **headers: str) -> httpx.Response:
    return await host.post(f"{PATH}/job/cancel", headers=headers)


@virtual_time
async def test_it_is_answered_at_once_runs_and_is_polled() -> None:
    gate = Gate()
    async with serve(gate) as host:
        asked = await invoke(host, session_id="s", background=True)
        job = asked.json()["invocation_id"]
        assert (asked.status_code, asked.headers[INVOCATION_ID]) == (202, job)
        assert asked.headers[SESSION_ID] == "s"
        assert asked.json() == {
            "invocation_id": job,
            "session_id": "s",
            "status": "queued",
            "output": "",
            "messages": [],
            "requests": [],
            "usage": None,
            "error": None,
        }
        await gate.reached("hello")
        assert await status_of(host, job) == "in_progress"
        gate.release("hello")
        answer = await ended(host, job)
    assert (answer["status"], answer["output"], answer["session_id"]) == ("completed", "hello", "s")


@virtual_time
async def test_its_answer_is_that_of_the_foreground() -> None:
    async with serve(Scripted(*MIXED)) as host:
        whole = (await invoke(host, session_id="s", headers={INVOCATION_ID: "other"})).json()
        await invoke(host, session_id="s", headers=JOB, background=True)
        assert await ended(host) == {**whole, "invocation_id": "job"}


@virtual_time
async def test_it_goes_on_with_its_session() -> None:
    async with serve(Counting()) as host:
        await invoke(host, session_id="s")
        await invoke(host, session_id="s", headers=JOB, background=True)
        assert (await ended(host))["output"] == "turn 2"
        assert (await invoke(host, session_id="s")).json()["output"] == "turn 3"


@virtual_time
async def test_a_failure_is_told_as_in_the_foreground() -> None:
    async with serve(Failing(after=1)) as host:
        assert (await invoke(host, headers=JOB, background=True)).status_code == 202
        answer = await ended(host)
        again = await invoke(host, headers=JOB)
    assert (answer["status"], answer["error"]["code"]) == ("failed", "internal_error")
    assert Failing.SECRET not in str(answer)
    assert (again.status_code, again.json()["error"]) == (500, answer["error"])


@virtual_time
async def test_unknown_foreign_and_expired_ones_are_the_same_404() -> None:
    limits = HostLimits(background_ttl=60)
    async with serve_ann_and_bob(Echo(), host_options={"limits": limits}, store_ttl=None) as host:
        await invoke(host, headers=JOB | ANN, background=True)
        await ended(host, **ANN)
        replies: list[httpx.Response] = []

        async def ask(name: str, **headers: str) -> None:
            address = f"{PATH}/{name}"
            replies.append(await host.get(address, headers=headers))
            replies.append(await host.get(f"{address}?stream=true", headers=headers))
            replies.append(await host.post(f"{address}/cancel", headers=headers))

        await ask("job", **BOB)
        await ask("unknown", **ANN)
        await asyncio.sleep(59)
        assert await status_of(host, **ANN) == "completed"
        await asyncio.sleep(2)
        await ask("job", **ANN)
    assert {(reply.status_code, reply.content) for reply in replies} == {(404, replies[0].content)}
    assert len({(*reply.headers.keys(),) for reply in replies}) == 1


@virtual_time
async def test_it_can_be_read_for_its_time_after_its_end_not_after_its_beginning() -> None:
    gate = Gate()
    async with serve(gate, host_options={"limits": HostLimits(background_ttl=60)}, store_ttl=1) as host:
        await invoke(host, "wait", headers=JOB, background=True)
        await gate.reached("wait")
        await asyncio.sleep(120)
        assert await status_of(host) == "in_progress"
        gate.release("wait")
        await ended(host)
        await asyncio.sleep(50)
        assert await status_of(host) == "completed"


@virtual_time
async def test_it_is_cancelled_while_it_waits_and_while_it_runs() -> None:
    gate = Gate()
    async with serve(gate) as host:
        await invoke(host, "first", session_id="s", headers={INVOCATION_ID: "first"}, background=True)
        await gate.reached("first")
        await invoke(host, "second", session_id="s", headers=JOB, background=True)
        for name in ("job", "first"):
            for _ in range(2):
                reply = await host.post(f"{PATH}/{name}/cancel")
                assert (reply.status_code, reply.json()["status"]) == (200, "cancelled")
        assert gate.waiting("first") == gate.waiting("second") == 0


@virtual_time
async def test_cancelling_what_has_ended_gives_its_state() -> None:
    async with serve(Echo()) as host:
        await invoke(host, headers=JOB, background=True)
        answer = await ended(host)
        assert (await cancel(host)).json() == answer


@virtual_time
async def test_the_same_id_gives_the_same_invocation() -> None:
    gate = Gate()
    target = Recorder(gate)
    async with serve(target) as host:
        first, second = await asyncio.gather(
            invoke(host, "wait", session_id="s", headers=JOB, background=True),
            invoke(host, "wait", session_id="t", headers=JOB, background=True),
        )
        await gate.reached("wait")
        during = await invoke(host, "other", headers=JOB, background=True)
        assert [reply.status_code for reply in (first, second, during)] == [202] * 3
        sessions = {reply.json()["session_id"] for reply in (first, second, during)}
        assert {reply.headers[SESSION_ID] for reply in (first, second, during)} == sessions
        assert len(sessions) == 1
        foreground = await invoke(host, "other", headers=JOB)
        assert (foreground.status_code, foreground.json()["error"]["code"]) == (409, "turn_in_progress")
        gate.release("wait")
        answer = await ended(host)
        after = await invoke(host, "other", headers=JOB, background=True)
        assert (after.status_code, after.json()) == (200, answer)
        assert (await invoke(host, "other", headers=JOB)).json() == answer
    assert len(target.runs) == 1


@virtual_time
async def test_the_same_id_of_another_caller_is_another_invocation() -> None:
    async with serve_ann_and_bob(Echo()) as host:
        for text, caller in (("of ann", ANN), ("of bob", BOB)):
            asked = await invoke(host, text, headers=JOB | caller, background=True)
            assert asked.status_code == 202
        assert (await ended(host, **ANN))["output"] == "of ann"
        assert (await ended(host, **BOB))["output"] == "of bob"


@virtual_time
async def test_the_same_id_in_another_channel_is_another_invocation() -> None:
    def channels() -> list[InvocationsChannel]:
        return [InvocationsChannel(), InvocationsChannel("other", "/other")]

    async with InMemoryHost(Echo(), channels) as host:
        for path in (PATH, "/other"):
            body = {"input": path, "background": True}
            assert (await host.post(path, json=body, headers=JOB)).status_code == 202
        await asyncio.sleep(1)
        outputs = [(await host.get(f"{path}/job")).json()["output"] for path in (PATH, "/other")]
    assert outputs == [PATH, "/other"]


@virtual_time
async def test_an_id_that_was_used_in_the_foreground_is_replayed() -> None:
    gate = Gate()
    target = Recorder(gate)
    async with serve(target) as host, asyncio.TaskGroup() as group:
        waiting = group.create_task(invoke(host, "wait", headers=JOB))
        await gate.reached("wait")
        assert (await invoke(host, "other", headers=JOB, background=True)).status_code == 409
        gate.release("wait")
        answer = (await waiting).json()
        again = await invoke(host, "other", headers=JOB, background=True)
        assert (again.status_code, again.json()) == (200, answer)
    assert len(target.runs) == 1


async def test_a_failure_in_the_foreground_is_replayed() -> None:
    async with serve(Failing()) as host:
        before = await invoke(host, headers=JOB)
        again = await invoke(host, headers=JOB, background=True)
    assert (again.status_code, again.json()) == (500, before.json())


@virtual_time
async def test_the_same_id_at_the_same_moment_on_another_replica_is_the_same_invocation() -> None:
    async with replicas(Echo(), Echo()) as [(one, _), (two, line)]:

        async def take_the_id() -> None:
            await invoke(one, "first", session_id="s", headers=JOB, background=True)

        line.before["turns.begin"] = take_the_id
        second = await invoke(two, "second", session_id="t", headers=JOB, background=True)
        assert (second.headers[SESSION_ID], second.json()["session_id"]) == ("s", "s")
        assert (await ended(two))["output"] == "first"


@virtual_time
async def test_a_refusal_stores_nothing() -> None:
    allowed: list[bool] = []

    def run_hook(request: ChannelRequest) -> ChannelRequest:
        if not allowed:
            raise ValueError("no")
        return request

    async with serve(Echo(), run_hook=run_hook) as host:
        refused = await invoke(host, background=True)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "request_rejected")
        assert await status_of(host, refused.headers[INVOCATION_ID]) == 404


@virtual_time
async def test_a_hook_sees_the_native_body_once_and_says_what_is_run() -> None:
    seen: list[ChannelRequest] = []
    note = recording(seen)

    def run_hook(request: ChannelRequest, *, protocol_request: Any) -> ChannelRequest:
        assert protocol_request["colour"] == "red"
        return note(request).replace(input="changed", metadata={})

    async with serve(Echo(), run_hook=run_hook) as host:
        await invoke(host, colour="red", headers=JOB, background=True)
        assert (await ended(host))["output"] == "changed"
    assert [request.background for request in seen] == [True]


@virtual_time
async def test_a_response_hook_replaces_what_is_stored() -> None:
    async def shout(result: Any) -> Any:
        for content in result.result.messages[0].contents:
            content.text = content.text.upper()
        return result

    async with serve(Scripted("a", "b"), response_hook=shout) as host:
        await invoke(host, headers=JOB, background=True)
        assert (await ended(host))["output"] == "AB"


@virtual_time
async def test_a_parser_may_ask_for_the_background() -> None:
    def parser(body: bytes, *_: Any) -> ParsedInvocation:
        return ParsedInvocation(input=body.decode(), background=True)

    async with serve(Echo(), parser=parser) as host:
        assert (await host.post(PATH, content=b"said", headers=JOB)).status_code == 202
        assert (await ended(host))["output"] == "said"


@virtual_time
async def test_an_approval_is_asked_and_answered_in_the_background() -> None:
    deleted: list[str] = []
    async with serve(cleaner(deleted)) as host:
        await invoke(host, session_id="s", headers=JOB, background=True)
        asked = await ended(host)
        assert (asked["status"], deleted) == ("input_required", [])
        [request] = asked["requests"]
        said = approval(request) | {"background": True}
        await host.post(PATH, json=said, headers={INVOCATION_ID: "answer"})
        assert ((await ended(host, "answer"))["output"], deleted) == ("done", ["x"])


@virtual_time
async def test_it_survives_a_restart_and_then_is_found_by_its_id() -> None:
    gate = Gate()
    async with serve(gate) as host:
        await invoke(host, "wait", headers=JOB, background=True)
        await gate.reached("wait")
        await host.restart()
        await gate.reached("wait", 2)
        assert await status_of(host) == "in_progress"
        gate.release("wait")
        assert (await ended(host))["output"] == "wait"
        await host.restart()
        assert (await ended(host))["output"] == "wait"


@virtual_time
async def test_a_foreground_request_with_its_id_at_the_same_moment_does_not_lose_it() -> None:
    async with replicas(Echo(), Echo()) as [(one, _), (two, line)]:

        async def take_the_id() -> None:
            asked = await invoke(one, "kept", session_id="s", headers=JOB, background=True)
            assert asked.status_code == 202

        line.before["records.put"] = take_the_id
        assert (await invoke(two, "late", headers=JOB)).status_code == 409
        await asyncio.sleep(5)
        answer = await ended(one)
        assert (answer["output"], answer["session_id"]) == ("kept", "s")


@virtual_time
async def test_one_whose_end_cannot_be_rendered_does_not_run_for_ever() -> None:
    class Broken(InvocationsChannel):
        async def conclude_run(self, *_: Any) -> Any:
            raise RuntimeError("cannot")

    async with InMemoryHost(Echo(), lambda: [Broken()]) as host:
        await invoke(host, headers=JOB, background=True)
        answer = await ended(host)
    assert (answer["status"], answer["error"].keys()) == ("failed", {"code", "message"})
