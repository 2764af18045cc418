"""Durable tasks: work that outlives the process that asked for it (contract 11)."""

from .handlers import UnknownHandler
from .in_process import InProcessTaskRunner
from .on_procrastinate import ProcrastinateTaskRunner
from .payload import DurableTaskPayloadMode, PayloadUndecodable, PushPayloadNotSerializable
from .policy import RetryPolicy, TaskRejected, TaskRetryable
from .runner import (
    DurableTaskRunner,
    PlannedTask,
    RunnerServices,
    TaskContext,
    TaskHandle,
    TaskHandler,
    TaskStatus,
)
from .runtime import RuntimeFacts, RuntimeMode, RuntimePlan, plan_runtime, platform_of

__all__ = [
    "DurableTaskPayloadMode",
    "DurableTaskRunner",
    "InProcessTaskRunner",
    "PayloadUndecodable",
    "PlannedTask",
    "ProcrastinateTaskRunner",
    "PushPayloadNotSerializable",
    "RetryPolicy",
    "RunnerServices",
    "RuntimeFacts",
    "RuntimeMode",
    "RuntimePlan",
    "TaskContext",
    "TaskHandle",
    "TaskHandler",
    "TaskRejected",
    "TaskRetryable",
    "TaskStatus",
    "UnknownHandler",
    "plan_runtime",
    "platform_of",
]
