"""Serves a workflow: an instance for each turn, checkpoints for each session (contract 8)."""

from .instances import WorkflowSource
from .requests import REQUEST_INFO
from .result import WorkflowResult
from .target import WorkflowTarget
from .turn import WorkflowStream

__all__ = ["REQUEST_INFO", "WorkflowResult", "WorkflowSource", "WorkflowStream", "WorkflowTarget"]
