"""Another channel in the same host: what a channel must leave alone, and whose failures must not reach it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from hosting import ChannelContext, ChannelContribution

from .events import EventLog


class Peer:
    """A channel of one route, which never runs the target. It notes its start and stop as `peer` in the log.

    Args:
        name: Its name.
        log: The item's event log.
        root_routes: Addresses that it wants outside its path.
        fails: The phase in which its callback raises.
    """

    def __init__(
        self, name: str, log: EventLog, *, root_routes: Sequence[BaseRoute] = (), fails: str = ""
    ) -> None:
        self.name = name
        self.path = f"/{name}"
        self.stopped_well = True
        self._log = log
        self._root_routes = root_routes
        self._fails = fails

    def contribute(self, context: ChannelContext, /) -> ChannelContribution:
        """The route, and both callbacks."""
        return ChannelContribution(
            routes=[Route("/", self.answer)],
            root_routes=self._root_routes,
            on_startup=[self.start],
            on_shutdown=[self.stop],
        )

    async def start(self) -> None:
        """Fails if it is told to."""
        self._note("start")

    async def stop(self) -> None:
        """Fails if it is told to."""
        self.stopped_well = self._fails != "stop"
        self._note("stop")

    async def answer(self, request: Request) -> JSONResponse:
        """Who answers, and what the request went through on its way here."""
        return JSONResponse({"answered by": self.name, "through": list(_callers())})

    def _note(self, phase: str) -> None:
        self._log.add("peer", f"{self.name} {phase}")
        if phase == self._fails:
            raise PeerFailed(f"{self.name} cannot {phase}, as the rule wants it")


class PeerFailed(Exception):
    """What a peer's callback raises."""


def _callers() -> Iterator[str]:
    """Every function on the way to the caller, which awaits it: middleware is among them."""
    frame = sys._getframe(1).f_back  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        yield f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}"
        frame = frame.f_back
