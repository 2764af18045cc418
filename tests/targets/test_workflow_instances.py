"""An instance for each turn (contract 8.1), and what cannot give one."""

import threading
from typing import Never

import pytest
from agent_framework import (
    Executor,
    InMemoryCheckpointStorage,
    Workflow,
    WorkflowBuilder,
    WorkflowContext,
    WorkflowExecutor,
    executor,
    handler,
)

from hosting.errors import ChannelConfigurationError
from hosting_testkit.targets import Echo, workflow_echo, workflow_sequential
from tests.targets.workflow_session import Session, call, target


class Counter(Executor):
    """Counts on the instance, as executors do that were never meant to be shared."""

    def __init__(self, id: str = "counter") -> None:
        super().__init__(id)
        self.runs = 0

    @handler
    async def count(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        self.runs += 1
        await ctx.yield_output(f"{text} {self.runs}")


class Locked(Counter):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()


@executor(id="upper")
async def upper(text: str, ctx: WorkflowContext[Never, str]) -> None:
    await ctx.yield_output(text.upper())


def built(start: Executor, name: str | None = "counting") -> Workflow:
    return WorkflowBuilder(name=name, start_executor=start).build()


@pytest.mark.parametrize("source", [lambda: built(Counter()), built(Counter())], ids=["factory", "instance"])
async def test_every_turn_has_an_instance_of_its_own(source):
    served = target(source)

    texts = [(await session.turn("run")).result.text for session in (Session(served), Session(served))]

    assert texts == ["run 1", "run 1"]


async def test_an_instance_is_not_used_up_by_its_turns():
    workflow = built(Counter())
    served = target(workflow)

    await served.run(call("one"))
    await served.run(call("two"))

    assert (await workflow.run("three")).get_outputs() == ["three 1"]


async def test_agents_of_cloned_instances_have_sessions_of_their_own():
    inner = workflow_sequential(Echo(name="a"), Echo(name="b"))
    outer = built(WorkflowExecutor(inner, id="inner"), "outer")
    instances = target(outer)._instances

    states = []
    for _ in range(2):
        inner_executor = (await instances.fresh()).executors["inner"]
        assert isinstance(inner_executor, WorkflowExecutor)
        states += [await agent.on_checkpoint_save() for agent in inner_executor.workflow.get_executors_list()]

    assert len({state["agent_session"]["session_id"] for state in states}) == 4


def test_the_target_says_what_it_serves():
    workflow = WorkflowBuilder(name="w", description="does it", start_executor=Counter()).build()

    info = target(workflow).info

    assert (info.kind, info.name, info.description, info.input_types) == ("workflow", "w", "does it", (str,))


@pytest.mark.parametrize(
    "source", [lambda: built(Counter(), None), built(Counter(), None), built(Counter(), "")]
)
def test_a_workflow_without_a_stable_name_is_refused(source):
    with pytest.raises(ChannelConfigurationError, match=r"WorkflowBuilder\(name="):
        target(source)


async def test_an_instance_that_ran_is_refused_with_the_advice_to_pass_a_factory():
    workflow = built(Counter())
    await workflow.run("before")

    with pytest.raises(ChannelConfigurationError, match="pass a function that builds"):
        target(workflow)


def test_an_instance_that_cannot_be_copied_is_refused_with_the_advice_to_pass_a_factory():
    with pytest.raises(ChannelConfigurationError, match="pass a function that builds"):
        target(built(Locked()))

    target(lambda: built(Locked()))


def test_a_factory_that_gives_one_executor_twice_is_refused():
    counter = Counter()

    with pytest.raises(
        ChannelConfigurationError, match=r"executor 'counter' twice.*in each call of the factory"
    ):
        target(lambda: built(counter))


def test_a_factory_that_shares_an_executor_of_an_inner_workflow_is_refused():
    inner = built(Counter("deep"), "inner")

    with pytest.raises(ChannelConfigurationError, match="'deep' twice"):
        target(lambda: built(WorkflowExecutor(inner, id="sub"), "outer"))


async def test_executors_that_are_functions_may_be_shared():
    served = target(lambda: built(upper))

    assert (await served.run(call("a"))).result.text == "A"


async def test_a_storage_built_into_the_workflow_gives_way_to_the_sessions_own_with_a_warning(caplog):
    own = InMemoryCheckpointStorage()
    session = Session(
        target(lambda: WorkflowBuilder(name="w", start_executor=Counter(), checkpoint_storage=own).build())
    )

    await session.turn("a")

    assert "checkpoint_location" in caplog.text
    assert await own.list_checkpoint_ids(workflow_name="w") == []


async def no_workflow():
    return workflow_echo()


@pytest.mark.parametrize(
    ("source", "found"),
    [(None, "NoneType"), (lambda: None, "NoneType"), (no_workflow, "coroutine"), ("w", "str")],
)
def test_a_source_that_gives_no_workflow_is_refused(source, found):
    with pytest.raises(ChannelConfigurationError, match=found):
        target(source)
