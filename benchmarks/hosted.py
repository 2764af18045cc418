"""The same target behind the host."""

from __future__ import annotations

from starlette.applications import Starlette

from hosting import AgentFrameworkHost
from hosting_responses import ResponsesChannel
from hosting_testkit.targets import Echo


def build_app(state_dir: str | None) -> Starlette:
    """The host's application as it comes: every default, and the state in memory or in `state_dir`."""
    return AgentFrameworkHost(Echo(), channels=[ResponsesChannel()], state_dir=state_dir).app
