"""The one small thing that a channel author writes: how to build the channel, and how its protocol looks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from .capabilities import Capabilities, Profile
from .turn import Inbound, Turn
from .wire import Out, Wire

if TYPE_CHECKING:
    from hosting import Channel

    from ..transports.asgi import ASGIApp
    from .env import Env


class ChannelDriver(ABC):
    """Translates between the kit's abstract turns and one channel's wire.

    A driver is made anew for each item, without arguments; the kit sets `env` before it calls anything. Its decoder
    runs without access to what a rule expects, so it can only report what is on the wire.

    Attributes:
        name: The channel's name in reports.
        profile: The kind of channel that `capabilities` must live up to.
        capabilities: What the channel claims.
        bad_credentials: Values of `Turn.credential` that `inbound` knows how to forge; `missing` and `wrong` at least,
            where the channel authenticates.
        malformed_status: HTTP status of the answer to a malformed body, where the protocol has its own.
        env: The surroundings of the channel under test.
        variant: The transport that this item runs on.
    """

    name: ClassVar[str]
    profile: ClassVar[Profile] = "custom"
    capabilities: ClassVar[Capabilities]
    bad_credentials: ClassVar[Sequence[str]] = ()
    malformed_status: ClassVar[int] = 400
    env: Env
    variant: str = "http"

    @abstractmethod
    def make(self, env: Env) -> Channel:
        """The channel under test, at `env.path`, with `**env.options`."""

    @abstractmethod
    def inbound(self, turn: Turn) -> Inbound:
        """The native request for a turn."""

    @abstractmethod
    def outbound(self, wire: Wire) -> Sequence[Out]:
        """What a client or a person sees of a wire, in order."""

    def platform(self) -> ASGIApp | None:
        """A simulator of the platform that the channel talks to, fresh."""
        return None

    def non_turns(self) -> Mapping[str, Inbound]:
        """Authentic events that are no turns, by name; one of a kind that does not exist among them."""
        return {}

    def malformed(self) -> Mapping[str, Inbound]:
        """Authentic requests with broken bodies, by name."""
        return {}

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        """Ways to build the channel wrongly, each with the option at fault; a wrong option or a missing secret."""
        return []
