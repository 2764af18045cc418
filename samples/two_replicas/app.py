"""The host of both replicas: `hosting serve samples.two_replicas.app:host`. DATABASE_URL says where the state is."""

from __future__ import annotations

import os

from hosting import AgentFrameworkHost
from hosting.state import PostgresHostStateStore
from hosting_invocations import InvocationsChannel
from hosting_responses import ResponsesChannel
from samples.weather import build_agent


def host() -> AgentFrameworkHost:
    """One replica. Its channels answer on loopback only, where the sample's proxy is, until they get `auth=`."""
    return AgentFrameworkHost(
        build_agent(),
        channels=[ResponsesChannel(), InvocationsChannel()],
        state=PostgresHostStateStore(
            os.environ.get("DATABASE_URL", "postgresql://127.0.0.1/hosting"),
            schema=os.environ.get("SCHEMA", "hosting"),
        ),
    )
