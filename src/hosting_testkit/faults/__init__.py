"""Plans of what goes wrong between a bot and its platform, and ways to let it happen (conformance kit 4.13).

`FaultPlan` is data. `FaultTransport` applies it in an httpx client, `FaultyApp` in a simulator's ASGI app; the inbound
half is applied by whatever posts events (`hosting_testkit.simulators`).
"""

from .app import FaultyApp, last_segment, plain_json
from .client import FaultTransport
from .errors import ConnectionBroken
from .fault import (
    Burst,
    Delay,
    DeliverThenTimeout,
    Disconnect,
    Duplicate,
    Inbound,
    Late,
    Malformed,
    Outbound,
    Refuse,
    Reorder,
    Reply,
    Reset,
    Slow,
    Timeout,
)
from .plan import ANY, Calls, FaultPlan, Rule
from .run import Applied, FaultRun

__all__ = [
    "ANY",
    "Applied",
    "Burst",
    "Calls",
    "ConnectionBroken",
    "Delay",
    "DeliverThenTimeout",
    "Disconnect",
    "Duplicate",
    "FaultPlan",
    "FaultRun",
    "FaultTransport",
    "FaultyApp",
    "Inbound",
    "Late",
    "Malformed",
    "Outbound",
    "Refuse",
    "Reorder",
    "Reply",
    "Reset",
    "Rule",
    "Slow",
    "Timeout",
    "last_segment",
    "plain_json",
]
