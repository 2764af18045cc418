"""Channels that pass every rule, built on the public API of `hosting` alone: models to copy, and what mutants break."""

from .background_driver import BackgroundRpcDriver
from .background_rpc import BackgroundRpcChannel
from .bot import BotChannel
from .bot_driver import BotDriver
from .edit_bot import EditBotChannel
from .edit_driver import EditBotDriver
from .fetching_rpc import FetchingRpcChannel, FetchingRpcDriver
from .polling_bot import PollingBotChannel
from .polling_driver import PollingBotDriver
from .rpc import RpcChannel
from .rpc_driver import RpcDriver
from .socket_driver import SocketRpcDriver
from .socket_rpc import SocketRpcChannel
from .tally_bot import TallyBotChannel, TallyBotDriver
from .unary import UnaryRpcChannel
from .unary_driver import UnaryRpcDriver

REFERENCES = (UnaryRpcDriver, RpcDriver, BotDriver, EditBotDriver, PollingBotDriver, SocketRpcDriver)
"""The driver of each shape (conformance-kit 4.14): unary, streamed, webhook, webhook with edits, polling, WebSocket."""

SPECIAL = (FetchingRpcDriver, BackgroundRpcDriver)
"""The drivers of those that are there for single capabilities."""

__all__ = [
    "REFERENCES",
    "SPECIAL",
    "BackgroundRpcChannel",
    "BackgroundRpcDriver",
    "BotChannel",
    "BotDriver",
    "EditBotChannel",
    "EditBotDriver",
    "FetchingRpcChannel",
    "FetchingRpcDriver",
    "PollingBotChannel",
    "PollingBotDriver",
    "RpcChannel",
    "RpcDriver",
    "SocketRpcChannel",
    "SocketRpcDriver",
    "TallyBotChannel",
    "TallyBotDriver",
    "UnaryRpcChannel",
    "UnaryRpcDriver",
]
