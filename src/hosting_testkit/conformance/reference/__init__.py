"""Channels that pass every rule, built on the public API of `hosting` alone: models to copy, and what mutants break."""

from .bot import BotChannel
from .bot_driver import BotDriver
from .platform import ChatPlatform
from .rpc import RpcChannel
from .rpc_driver import RpcDriver

__all__ = ["BotChannel", "BotDriver", "ChatPlatform", "RpcChannel", "RpcDriver"]
