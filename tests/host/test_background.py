"""Background runs: asked for, polled, read, cancelled, taken over (contract 12, 4.5, 7.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hosting import (
    Caller,
    ChannelContext,
    ChannelContribution,
    ChannelRequest,
    ChannelSession,
    ContinuationToken,
    HostLimits,
    InMemoryHostStateStore,
    LoggedUpdates,
    StateWrite,
    TurnEnd,
    UnknownReference,
    UnprocessableInput,
)
from hosting_testkit import InMemoryHost, virtual_time
from hosting_testkit.targets import Counting, Echo, Failing, Gate, Recorder, Scripted, steps
from tests.host.shared_state import Line
from tests.host.stores import AnswersLate

ANN, BEN = Caller("ann"), Caller("ben")


class Later:
    """A channel without a wire that runs everything in the background and keeps how it ended."""

    name, path = "later", "/later"
    context: ChannelContext

    def __init__(self) -> None:
        self.ends: list[tuple[str, str]] = []

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        self.context = context
        return ChannelContribution()

    async def conclude_run(
        self, request: ChannelRequest, updates: Sequence[Any], end: TurnEnd, /
    ) -> Sequence[StateWrite]:
        self.ends.append((end.status, "".join(update.text for update in updates)))
        return [StateWrite("end", end.status)]

    async def begin(self, text: Any, *, caller: Caller = ANN, **fields: Any) -> ContinuationToken:
        request = ChannelRequest(channel=self.name, input=text, caller=caller, **fields)
        return await self.context.run_in_background(request, writes=[StateWrite("asked", True)])

    async def read(self, token: str, *, after: int = 0) -> list[tuple[int, str]]:
        entries = await self.context.events(token, caller=ANN, after=after)
        return [
            (entry.seq, "".join(update.text for update in entry.updates))
            async for entry in entries
            if entry.updates
        ]

    async def ended(self, token: str) -> ContinuationToken:
        while not (run := await self.context.get_continuation(token, caller=ANN)).ended:
            await asyncio.sleep(0.01)
        return run


@asynccontextmanager
async def served(target: Any, **options: Any) -> AsyncIterator[tuple[InMemoryHost, Later]]:
    made: list[Later] = []

    def channels() -> list[Later]:
        made.append(Later())
        return [made[-1]]

    async with InMemoryHost(target, channels, **options) as host:
        yield host, made[-1]


@virtual_time
async def test_a_run_is_queued_at_once_runs_and_ends() -> None:
    gate = Gate()
    async with served(gate) as (_, channel):
        asked = await channel.begin("hello")
        assert (asked.status, asked.result, asked.ended) == ("queued", None, False)
        await gate.reached("hello")
        assert (await channel.context.get_continuation(asked.token, caller=ANN)).status == "running"
        gate.release("hello")
        ended = await channel.ended(asked.token)
        assert (ended.status, ended.result and ended.result.text) == ("completed", "hello")
        assert channel.ends == [("completed", "hello")]
        assert await channel.context.state().get("asked")
        assert await channel.context.state().get("end") == "completed"


@virtual_time
async def test_a_run_continues_its_session_in_turn() -> None:
    session = ChannelSession("me", key="s")
    async with served(Counting()) as (host, channel):
        tokens = [await channel.begin("x", session=session) for _ in range(3)]
        ended = [await channel.ended(token.token) for token in tokens]
        assert [run.result and run.result.text for run in ended] == ["turn 1", "turn 2", "turn 3"]
        after = await host.host.run(ChannelRequest(channel="later", input="x", session=session))
        assert after.text == "turn 4"


@virtual_time
async def test_unknown_foreign_and_expired_tokens_are_one_error() -> None:
    async with served(Echo(), limits=HostLimits(background_ttl=60)) as (_, channel):
        token = (await channel.ended((await channel.begin("hello")).token)).token
        told: list[str] = []
        for caller, name in ((BEN, token), (None, token), (ANN, "nonsense")):
            for ask in (channel.context.get_continuation, channel.context.events, channel.context.cancel_run):
                with pytest.raises(UnknownReference) as error:
                    await ask(name, caller=caller)
                told.append(str(error.value))
        await asyncio.sleep(61)
        with pytest.raises(UnknownReference) as error:
            await channel.context.get_continuation(token, caller=ANN)
        assert {*told, str(error.value)} == {"There is no such run."}


@virtual_time
async def test_every_reader_reads_the_same_whenever_it_comes() -> None:
    target = Scripted(*(f"{n} " for n in range(40)), steps.Stop("middle"), *(f"{n} " for n in range(40, 60)))
    async with served(target) as (_, channel):
        token = (await channel.begin("x")).token
        live = asyncio.create_task(channel.read(token))
        await target.gates.reached("middle")
        await asyncio.sleep(1)
        first = await anext(aiter(await channel.context.events(token, caller=ANN)))
        target.gates.release("middle")
        whole = await live
        assert whole == await channel.read(token)
        assert whole[0] == (first.seq, "".join(update.text for update in first.updates))
        assert [seq for seq, _ in whole] == list(range(1, len(whole) + 1))
        assert "".join(text for _, text in whole) == "".join(f"{n} " for n in range(60))
        assert await channel.read(token, after=2) == whole[2:]


@virtual_time
async def test_a_silent_run_keeps_its_readers_alive() -> None:
    gate = Gate()
    async with served(gate) as (host, channel):
        token = (await channel.begin("hello")).token
        entries = aiter(await channel.context.events(token, caller=ANN))
        assert await anext(entries) == LoggedUpdates(0, [])
        assert asyncio.get_running_loop().time() >= host.host.limits.keepalive
        gate.release("hello")
        assert (await anext(entries)).seq == 1


@virtual_time
async def test_a_failed_run_tells_no_more_than_a_failed_turn() -> None:
    async with served(Failing(RuntimeError("secret 4711"), after=1)) as (_, channel):
        ended = await channel.ended((await channel.begin("x")).token)
        assert (ended.status, ended.result) == ("failed", None)
        assert ended.error is not None
        assert "4711" not in ended.error.message
        assert [status for status, _ in channel.ends] == ["failed"]


@virtual_time
async def test_a_run_is_cancelled_while_it_waits_and_while_it_runs() -> None:
    gate, session = Gate(), ChannelSession("me", key="s")
    async with served(gate) as (_, channel):
        running = (await channel.begin("one", session=session)).token
        waiting = (await channel.begin("two", session=session)).token
        await gate.reached("one")
        for token in (waiting, running):
            assert (await channel.context.cancel_run(token, caller=ANN)).status == "cancelled"
            assert (await channel.context.cancel_run(token, caller=ANN)).status == "cancelled"
        assert gate.waiting("one") == gate.waiting("two") == 0
        assert [status for status, _ in channel.ends] == ["cancelled", "cancelled"]


async def cancelled_while(store: AnswersLate, target: Any) -> list[tuple[str, str]]:
    """How a run ended that is cancelled while the store keeps an answer to itself."""
    async with asyncio.timeout(30), served(target, state=store) as (_, channel):
        token = (await channel.begin("hello")).token
        await store.kept.wait()
        cancelling = asyncio.create_task(channel.context.cancel_run(token, caller=ANN))
        await asyncio.sleep(1)
        store.answer.set()
        assert (await cancelling).status == "cancelled"
        assert await channel.context.state().get("end") == "cancelled"
        return channel.ends


@virtual_time
async def test_a_run_is_cancelled_while_its_log_is_written_and_is_written_once() -> None:
    store = AnswersLate(lambda unit, _: any(statement.name == "runs.append" for statement in unit))
    target = Scripted("half", steps.Stop("middle"), "rest")
    assert await cancelled_while(store, target) == [("cancelled", "half")]


@virtual_time
async def test_a_run_is_cancelled_between_being_taken_and_its_first_step() -> None:
    store = AnswersLate(lambda unit, rows: unit[0].name == "events.take" and bool(rows[0]))
    assert await cancelled_while(store, Gate()) == [("cancelled", "")]


@virtual_time
async def test_a_run_goes_on_after_a_restart_and_its_hook_is_not_called_again() -> None:
    gate, hooked = Gate(), list[str]()

    def hook(request: ChannelRequest) -> ChannelRequest:
        hooked.append(request.input)
        return request.replace(input=f"{request.input}!")

    class Hooked(Later):
        run_hook = staticmethod(hook)

    made: list[Later] = []

    def channels() -> list[Later]:
        made.append(Hooked())
        return [made[-1]]

    async with InMemoryHost(gate, channels) as host:
        token = (await made[-1].begin("hello")).token
        await gate.reached("hello!")
        await host.restart()
        await gate.reached("hello!", 2)
        gate.release("hello!")
        ended = await made[-1].ended(token)
    assert (ended.result and ended.result.text, hooked) == ("hello!", ["hello"])


@virtual_time
async def test_a_run_that_was_read_is_not_run_again_after_a_restart() -> None:
    target = Recorder(Scripted("half ", steps.Stop("middle"), "rest"))
    made: list[Later] = []

    def channels() -> list[Later]:
        made.append(Later())
        return [made[-1]]

    async with InMemoryHost(target, channels) as host:
        token = (await made[-1].begin("x")).token
        first = await anext(aiter(await made[-1].context.events(token, caller=ANN)))
        assert first.updates[0].text == "half "
        await host.restart()
        ended = await made[-1].ended(token)
        assert (ended.status, ended.error and ended.error.code) == ("failed", "interrupted")
        assert await made[-1].read(token) == [(1, "half ")]
    assert len(target.runs) == 1


@virtual_time
async def test_a_run_of_a_host_that_is_gone_is_run_by_another_one_with_an_empty_log() -> None:
    state = InMemoryHostStateStore()
    await state.open()
    first_target, second_target = Scripted("lost ", steps.Stop("middle")), Echo()
    lines = [Line(state), Line(state)]
    async with AsyncExitStack() as stack:
        (_, one) = await stack.enter_async_context(served(first_target, state=lines[0]))
        token = (await one.begin("hello")).token
        await first_target.gates.reached("middle")
        await asyncio.sleep(1)
        (_, two) = await stack.enter_async_context(served(second_target, state=lines[1]))
        lines[0].cut = True
        ended = await two.ended(token)
        assert (ended.status, await two.read(token)) == ("completed", [(1, "hello")])
        lines[0].cut = False
        await asyncio.sleep(30)
        assert await two.read(token) == [(1, "hello")]
        assert one.ends == []
    await state.close()


@virtual_time
async def test_a_reader_of_a_run_whose_host_is_gone_gets_all_and_then_its_end() -> None:
    state = InMemoryHostStateStore()
    await state.open()
    target = Scripted("half ", steps.Stop("middle"), "rest")
    lines = [Line(state), Line(state)]
    async with AsyncExitStack() as stack:
        (_, one) = await stack.enter_async_context(served(target, state=lines[0]))
        (_, two) = await stack.enter_async_context(served(Echo(), state=lines[1]))
        token = (await one.begin("x")).token
        await target.gates.reached("middle")
        reading = asyncio.create_task(two.read(token))
        await asyncio.sleep(2)
        lines[0].cut = True
        assert await reading == [(1, "half ")]
        ended = await two.context.get_continuation(token, caller=ANN)
        assert (ended.status, ended.error and ended.error.code) == ("failed", "interrupted")
        assert two.ends == [("failed", "half ")]
        lines[0].cut = False
    await state.close()


@virtual_time
async def test_the_same_idempotency_key_gives_the_same_run() -> None:
    target = Recorder(Echo())
    async with served(target) as (_, channel):
        first = await channel.begin("hello", delivery_id="key")
        again = await channel.begin("hello", delivery_id="key")
        await channel.ended(first.token)
        later = await channel.begin("hello", delivery_id="key")
        assert first.token == again.token == later.token
        assert later.status == "completed"
    assert len(target.runs) == 1


@virtual_time
async def test_what_is_no_json_cannot_wait() -> None:
    async with served(Echo()) as (_, channel):
        with pytest.raises(UnprocessableInput, match="kept as JSON"):
            await channel.begin("hello", attributes={"thing": object()})


async def test_a_run_survives_a_restart_on_sqlite(tmp_path: Path) -> None:
    gate = Gate()
    async with served(gate, state_dir=tmp_path) as (host, channel):
        token = (await channel.begin("hello")).token
        await gate.reached("hello")
        del host
    async with served(Echo(), state_dir=tmp_path) as (_, channel):
        ended = await channel.ended(token)
        assert (ended.status, ended.result and ended.result.text) == ("completed", "hello")
