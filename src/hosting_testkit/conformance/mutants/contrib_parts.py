"""Channels whose contribution has a part that is wrong, or comes with something beside it."""

from __future__ import annotations

import threading
import weakref
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from starlette.routing import BaseRoute

from hosting import ChannelContext, ChannelContribution, ChannelResponseHook

from ..reference import BotChannel, RpcChannel, RpcDriver
from .model import mutant


@mutant(
    "thread-in-contribute",
    defect="starts a thread in contribute()",
    kills={"HC-CONTRIB-001": "threads left running: FAILED"},
)
class ThreadInContribute(BotChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        gone = threading.Event()
        weakref.finalize(self, gone.set)
        threading.Thread(target=gone.wait, name="keeper", daemon=True).start()
        return super().contribute(context)


@mutant(
    "contributes-twice",
    defect="contributes once more, to see whether it works",
    kills={"HC-CONTRIB-001": "calls of contribute(): FAILED"},
)
class ContributesTwice(RpcChannel):
    tried = False

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        if not self.tried:
            self.tried = True
            self.contribute(context)
        return super().contribute(context)


@mutant("shared-default-list", kills={"HC-CONTRIB-002": "routes of two channels: FAILED"})
class SharedList(RpcChannel):
    all_routes: list[BaseRoute] = []  # noqa: RUF012 - this is the defect

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        inside = super().contribute(context)
        self.all_routes[:] = inside.routes
        return replace(inside, routes=self.all_routes)


@mutant("sync-lifecycle", kills={"HC-CONTRIB-002": "that cannot be awaited, or raised: FAILED"})
class SyncShutdown(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        shutdown: Any = [self.end]
        return replace(super().contribute(context), on_shutdown=shutdown)

    def end(self) -> None:
        return


@mutant(
    "own-command-type",
    defect="contributes commands of a type of its own, which lacks most fields",
    kills={"HC-CONTRIB-002": "parts of commands that are no ChannelCommand: FAILED"},
)
class OwnCommandType(RpcChannel):
    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        commands: Any = [SimpleNamespace(name="hello", description="Says hello")]
        return replace(super().contribute(context), commands=commands)


@mutant(
    "unsafe-name",
    defect="has a name for people, with a blank in it",
    kills={"HC-CONTRIB-003": "a name for addresses and logs: FAILED"},
    answers=False,
)
class UnsafeName(RpcDriver):
    name = "RPC Channel"


@mutant(
    "hook-refused",
    defect="takes no response hook although it declares hooks",
    kills={"HC-CONTRIB-008": "response_hook is taken: FAILED"},
)
class HookRefused(RpcChannel):
    def __init__(self, *, response_hook: ChannelResponseHook | None = None, **options: Any) -> None:
        if response_hook is not None:
            raise TypeError("response_hook comes with the next version")
        super().__init__(**options)
