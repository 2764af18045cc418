"""Fake targets: real agents and workflows of core's types that do as they are told (conformance kit 4.13)."""

from . import steps
from .agent import FakeAgent, Run, Updates
from .agent_workflows import workflow_concurrent, workflow_sequential
from .balanced import Balance, Balanced
from .chat_client import ChatScript, ModelCall, ScriptedChatClient
from .corpora import BROKEN_TEXTS, INJECTIONS, NASTY_TEXTS, Injection, Unicode
from .counting import Counting
from .echo import Echo
from .gate import Gate, Gates
from .leak import Leak, StreamEnd, WatchedStream
from .misbehaving import Failing, Flood, Hang
from .recorder import RecordedRun, Recorder
from .scripted import Scripted
from .steps import Step, Turn
from .told import FakeTarget
from .workflows import (
    Order,
    Question,
    Receipt,
    workflow_echo,
    workflow_failing,
    workflow_multi,
    workflow_pending,
    workflow_slow,
    workflow_typed,
)

__all__ = [
    "BROKEN_TEXTS",
    "INJECTIONS",
    "NASTY_TEXTS",
    "Balance",
    "Balanced",
    "ChatScript",
    "Counting",
    "Echo",
    "Failing",
    "FakeAgent",
    "FakeTarget",
    "Flood",
    "Gate",
    "Gates",
    "Hang",
    "Injection",
    "Leak",
    "ModelCall",
    "Order",
    "Question",
    "Receipt",
    "RecordedRun",
    "Recorder",
    "Run",
    "Scripted",
    "ScriptedChatClient",
    "Step",
    "StreamEnd",
    "Turn",
    "Unicode",
    "Updates",
    "WatchedStream",
    "steps",
    "workflow_concurrent",
    "workflow_echo",
    "workflow_failing",
    "workflow_multi",
    "workflow_pending",
    "workflow_sequential",
    "workflow_slow",
    "workflow_typed",
]
