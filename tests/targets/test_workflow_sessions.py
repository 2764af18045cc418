"""What a session keeps from turn to turn, and what never passes to another (contract 7.5, 8.1, 8.4)."""

import asyncio
from typing import Any, Never

import pytest
from agent_framework import (
    Agent,
    Executor,
    InMemoryCheckpointStorage,
    WorkflowBuilder,
    WorkflowContext,
    handler,
)

from hosting.serialization import UnregisteredType
from hosting.targets.checkpoints import CheckpointNotSaved, StagedCheckpointStorage, WorkflowChanged
from hosting_testkit.targets import Gates, ScriptedChatClient
from tests.targets.workflow_session import Session, call, target


class Memory(Executor):
    """Keeps what it heard in the workflow's state; stops, fails or forgets how to save on demand."""

    def __init__(self, gates: Gates | None = None, id: str = "memory") -> None:
        super().__init__(id)
        self._gates = gates
        self.saves = True

    @handler
    async def hear(self, text: str, ctx: WorkflowContext[str, str]) -> None:
        ctx.set_state("heard", [*ctx.get_state("heard", []), text])
        await ctx.send_message(text)


class Teller(Executor):
    def __init__(self, gates: Gates | None = None) -> None:
        super().__init__("teller")
        self._gates = gates
        self._broken = False

    @handler
    async def tell(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        if text == "stop" and self._gates:
            await self._gates.stop("here")
        if text == "fail":
            raise LookupError("told to")
        if text == "keep an object":
            ctx.set_state("object", Thing())
        self._broken = text == "forget to save"
        await ctx.yield_output("|".join(ctx.get_state("heard", [])))

    async def on_checkpoint_save(self) -> dict[str, Any]:
        if self._broken:
            raise OSError("disk full")
        return {}


class Thing:
    pass


def remembering(gates: Gates | None = None, *, name: str = "remembering", id: str = "memory"):
    def build():
        memory, teller = Memory(gates, id), Teller(gates)
        return WorkflowBuilder(name=name, start_executor=memory).add_edge(memory, teller).build()

    return build


async def told(session: Session, text: str) -> str:
    return (await session.turn(text)).result.text


async def test_a_session_goes_on_where_its_last_turn_ended():
    session = Session(target(remembering()))

    assert [await told(session, text) for text in "abc"] == ["a", "a|b", "a|b|c"]


async def test_a_session_goes_on_in_another_process_and_when_streamed():
    session = Session(target(remembering()))
    await session.turn("a")

    session.target = target(remembering())
    updates, result = await session.streamed("b")

    assert [update.text for update in updates] == ["a|b"]
    assert result.result.text == "a|b"


async def test_two_sessions_never_see_each_others_state():
    served = target(remembering()())
    one, other = Session(served), Session(served)

    assert [await told(one, "a"), await told(other, "x"), await told(one, "b")] == ["a", "x", "a|b"]


async def test_a_fork_starts_as_its_parent_was_and_changes_nothing_there():
    parent = Session(target(remembering()))
    await parent.turn("a")
    fork = Session(parent.target, parent.text)

    assert await told(fork, "f") == "a|f"
    assert await told(parent, "b") == "a|b"


async def test_sessions_run_side_by_side():
    gates = Gates()
    served = target(remembering(gates))
    waiting = asyncio.create_task(Session(served).turn("stop"))
    await gates.reached("here")

    assert await told(Session(served), "x") == "x"

    gates.release("here")
    assert (await waiting).result.text == "stop"


async def test_a_turn_without_a_session_keeps_nothing():
    served = target(remembering())
    await served.run(call("a"))

    assert (await served.run(call("b"))).result.text == "b"


@pytest.mark.parametrize("storage", [None, InMemoryCheckpointStorage()], ids=["staged", "the app's own"])
async def test_the_input_of_a_cancelled_turn_is_not_in_the_next(storage):
    gates = Gates()
    served = target(remembering(gates))
    staged = StagedCheckpointStorage()
    await served.run(call("a", checkpoints=storage or staged))

    stopped = asyncio.create_task(
        served.run(call("stop", checkpoints=storage or StagedCheckpointStorage(staged.last)))
    )
    await gates.reached("here")
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    gates.release("here")

    result = await served.run(call("b", checkpoints=storage or StagedCheckpointStorage(staged.last)))
    assert result.result.text == "a|b"


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_a_failed_turn_raises_the_workflows_own_error_and_leaves_nothing(stream):
    session = Session(target(remembering()))
    await session.turn("a")

    with pytest.raises(LookupError, match="told to"):
        await session.turn("fail", stream=stream)

    assert await told(session, "b") == "a|b"


@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
@pytest.mark.parametrize("first", [True, False], ids=["first turn", "later turn"])
async def test_a_failed_save_fails_the_turn(stream, first):
    session = Session(target(remembering()))
    if not first:
        await session.turn("a")

    with pytest.raises(CheckpointNotSaved, match=r"'remembering'.* after step 2"):
        await session.turn("forget to save", stream=stream)


async def test_a_storage_that_cannot_save_fails_the_turn():
    class Full(InMemoryCheckpointStorage):
        async def save(self, checkpoint):
            raise OSError("disk full")

    with pytest.raises(CheckpointNotSaved):
        await target(remembering()).run(call("a", checkpoints=Full()))


async def test_state_of_an_unregistered_type_is_a_clear_error_at_the_commit():
    with pytest.raises(UnregisteredType, match="Thing"):
        await Session(target(remembering())).turn("keep an object")


@pytest.mark.parametrize(
    "changed", [remembering(id="other"), remembering(name="other")], ids=["graph", "name"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["one-shot", "streamed"])
async def test_a_changed_workflow_is_an_error_of_its_own(changed, stream):
    session = Session(target(remembering()))
    await session.turn("a")
    session.target = target(changed)

    with pytest.raises(WorkflowChanged, match="start a new one") as refusal:
        await session.turn("b", stream=stream)

    assert (refusal.value.status, refusal.value.code) == (409, "workflow_changed")


async def test_agents_in_a_workflow_remember_their_conversation_across_instances():
    client = ScriptedChatClient("hello")
    served = target(lambda: WorkflowBuilder(name="w", start_executor=Agent(client=client, name="a")).build())
    one, other = Session(served), Session(served)

    await one.turn("first")
    await other.turn("theirs")
    await one.streamed("second")

    assert [message.text for message in client.calls[-1].messages] == ["first", "hello", "second"]
