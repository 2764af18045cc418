"""Serves one Agent Framework agent or workflow through many channels."""

from .channel import (
    Channel,
    ChannelContext,
    ChannelContribution,
    ChannelIngress,
    ChannelPush,
    ChannelState,
    ErrorAnswer,
    ErrorRenderer,
    PushContext,
    PushReceipt,
    PushRetryable,
    TargetInfo,
)
from .clock import SystemTime, TimeSource
from .commands import ChannelCommand, ChannelCommandContext
from .envelope import (
    Caller,
    ChannelIdentity,
    ChannelRequest,
    ChannelSession,
    Destination,
    InboundEvent,
    ReadOnlyMap,
    ResponseTarget,
)
from .errors import (
    AlreadyAnswered,
    BodyTooLarge,
    ChannelConfigurationError,
    Denied,
    ForkUnsupported,
    HookRejected,
    HostingError,
    NotAuthenticated,
    NotReady,
    RateLimited,
    RequestError,
    RunFailed,
    RunTimeout,
    SessionRequired,
    TurnInProgress,
    UnknownReference,
    UnprocessableInput,
    UnsupportedMedia,
)
from .hooks import (
    ChannelResponseContext,
    ChannelResponseHook,
    ChannelRunHook,
    ChannelStreamTransformHook,
    ChannelStreamUpdateHook,
)
from .host import AgentFrameworkHost
from .ids import IdSource, RandomIds
from .limits import HostLimits
from .results import HostedRunResult, HostedStreamResult, OnCommit, StateWrite, TurnEnd, as_response
from .serialization import UnregisteredType, register_type
from .sessions.history import HostHistoryProvider
from .state import HostStateStore, InMemoryHostStateStore, SqliteHostStateStore
from .targets.workflow import WorkflowResult

CONTRACT = "2026.1"
"""The version of the host contract that this release implements (contract 20.1)."""

__all__ = [
    "CONTRACT",
    "AgentFrameworkHost",
    "AlreadyAnswered",
    "BodyTooLarge",
    "Caller",
    "Channel",
    "ChannelCommand",
    "ChannelCommandContext",
    "ChannelConfigurationError",
    "ChannelContext",
    "ChannelContribution",
    "ChannelIdentity",
    "ChannelIngress",
    "ChannelPush",
    "ChannelRequest",
    "ChannelResponseContext",
    "ChannelResponseHook",
    "ChannelRunHook",
    "ChannelSession",
    "ChannelState",
    "ChannelStreamTransformHook",
    "ChannelStreamUpdateHook",
    "Denied",
    "Destination",
    "ErrorAnswer",
    "ErrorRenderer",
    "ForkUnsupported",
    "HookRejected",
    "HostHistoryProvider",
    "HostLimits",
    "HostStateStore",
    "HostedRunResult",
    "HostedStreamResult",
    "HostingError",
    "IdSource",
    "InMemoryHostStateStore",
    "InboundEvent",
    "NotAuthenticated",
    "NotReady",
    "OnCommit",
    "PushContext",
    "PushReceipt",
    "PushRetryable",
    "RandomIds",
    "RateLimited",
    "ReadOnlyMap",
    "RequestError",
    "ResponseTarget",
    "RunFailed",
    "RunTimeout",
    "SessionRequired",
    "SqliteHostStateStore",
    "StateWrite",
    "SystemTime",
    "TargetInfo",
    "TimeSource",
    "TurnEnd",
    "TurnInProgress",
    "UnknownReference",
    "UnprocessableInput",
    "UnregisteredType",
    "UnsupportedMedia",
    "WorkflowResult",
    "as_response",
    "register_type",
]
