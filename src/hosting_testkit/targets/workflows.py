"""Workflows of one or two plain executors, each made by a factory under a stable name (contract 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never

from agent_framework import Executor, Workflow, WorkflowBuilder, WorkflowContext, handler, response_handler

from hosting import register_type

from .gate import Gates

# Core reads the handlers' annotations at run time, so every type in them must be importable from this module.


class _Echo(Executor):
    @handler
    async def echo(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(text)


def workflow_echo() -> Workflow:
    """Takes a text and gives it back."""
    return WorkflowBuilder(name="workflow-echo", start_executor=_Echo(id="echo")).build()


@register_type
@dataclass(frozen=True)
class Order:
    """The input of `workflow_typed`: no text, so a request that sends text is refused (contract 8.2)."""

    item: str
    quantity: int = 1


@register_type
@dataclass(frozen=True)
class Receipt:
    """The output of `workflow_typed`."""

    item: str
    quantity: int
    number: str


class _Shop(Executor):
    @handler
    async def sell(self, order: Order, ctx: WorkflowContext[Never, Receipt]) -> None:
        receipt = Receipt(order.item, order.quantity, f"{order.quantity}-{order.item}")
        await ctx.yield_output(receipt)


def workflow_typed() -> Workflow:
    """Takes an `Order` and gives a `Receipt`."""
    return WorkflowBuilder(name="workflow-typed", start_executor=_Shop(id="shop")).build()


class _First(Executor):
    @handler
    async def begin(self, text: str, ctx: WorkflowContext[str, str]) -> None:
        await ctx.yield_output(f"first {text}")
        await ctx.send_message(text)


class _Rest(Executor):
    @handler
    async def go_on(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(f"second {text}")
        await ctx.yield_output(f"third {text}")


def workflow_multi() -> Workflow:
    """Takes a text and gives three outputs, `first ...`, `second ...`, `third ...`, from two executors."""
    first, rest = _First(id="first"), _Rest(id="rest")
    return WorkflowBuilder(name="workflow-multi", start_executor=first).add_edge(first, rest).build()


@register_type
@dataclass(frozen=True)
class Question:
    """What `workflow_pending` asks; the answer is a `str`."""

    prompt: str


class _Asker(Executor):
    @handler
    async def ask(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.request_info(Question(text), str)

    @response_handler
    async def answered(self, question: Question, answer: str, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(f"{question.prompt}: {answer}")


def workflow_pending() -> Workflow:
    """Takes a text, asks it back as a `Question`, and answers `<text>: <answer>` (contract 8.3)."""
    return WorkflowBuilder(name="workflow-pending", start_executor=_Asker(id="asker")).build()


class _Breaker(Executor):
    def __init__(self, error: BaseException) -> None:
        super().__init__(id="breaker")
        self._error = error

    @handler
    async def fail(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        await ctx.yield_output(text)
        raise self._error


def workflow_failing(error: BaseException | None = None) -> Workflow:
    """Takes a text, gives it back, then raises `error`, by default one whose text must not reach a client."""
    breaker = _Breaker(error or RuntimeError("the password is hunter2"))
    return WorkflowBuilder(name="workflow-failing", start_executor=breaker).build()


class _Slow(Executor):
    def __init__(self, gates: Gates) -> None:
        super().__init__(id="slow")
        self._gates = gates

    @handler
    async def wait(self, text: str, ctx: WorkflowContext[Never, str]) -> None:
        await self._gates.stop(text)
        await ctx.yield_output(text)


def workflow_slow(gates: Gates) -> Workflow:
    """Takes a text, stops at the point of that name until it is released, then gives the text back.

    As a target: `lambda: workflow_slow(gates)`, so that all its instances share the gates.
    """
    return WorkflowBuilder(name="workflow-slow", start_executor=_Slow(gates)).build()
