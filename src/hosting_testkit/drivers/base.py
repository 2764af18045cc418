"""The one small thing that a channel author writes: how to build the channel, and how its protocol looks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from .capabilities import Capabilities, Profile
from .trouble import PlatformAnswer
from .turn import Inbound, Turn
from .wire import Out, PlatformCall, Reply, Wire

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from hosting import Channel, HostLimits

    from ..transports.asgi import ASGIApp
    from .env import Env


class HookMissing(NotImplementedError):
    """A rule needs a hook that the driver does not have."""


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
        mount: Where the kit mounts the channel; None leaves the place to the kit.
        fetches: Paths of the platform by which the channel only fetches its updates.
        malformed_status: HTTP status of the answer to a malformed body, where the protocol has its own.
        media_status: HTTP status of the answer to a body of another content type, where the protocol has its own.
        limits: What the app that the channel is made for bounds, where not by default; rules about a limit set their own.
        contract: The levels of the contract that the channel supports, as in `>=2026.1,<2027` (contract 20.1).
        env: The surroundings of the channel under test.
        variant: The transport that this item runs on.
    """

    name: ClassVar[str]
    profile: ClassVar[Profile] = "custom"
    capabilities: ClassVar[Capabilities]
    bad_credentials: ClassVar[Sequence[str]] = ()
    mount: ClassVar[str | None] = None
    fetches: ClassVar[Collection[str]] = ()
    malformed_status: ClassVar[int] = 400
    media_status: ClassVar[int] = 415
    limits: ClassVar[HostLimits | None] = None
    contract: ClassVar[str] = ""
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
        """A simulator of the platform that the channel talks to, fresh.

        Requests with `to="platform"` go to it too: it hands the event in their body to a channel that fetches them.
        """
        return None

    def websocket(self, turn: Turn) -> Inbound:
        """The turn over a WebSocket (method `WEBSOCKET`), for a channel that has one beside its `inbound`."""
        raise self.lacks("websocket")

    def frame_status(self, wire: Wire) -> int:
        """The HTTP status that an answer over a WebSocket stands for; protocols say it in their error messages."""
        return 200

    def non_turns(self) -> Mapping[str, Inbound]:
        """Authentic events that are no turns, by name; one of a kind that does not exist among them."""
        return {}

    def malformed(self) -> Mapping[str, Inbound]:
        """Authentic requests with broken bodies, by name."""
        return {}

    def raw(self, body: bytes) -> Inbound:
        """An authentic request with this very body."""
        raise self.lacks("raw")

    def wrong_fields(self) -> Mapping[str, Inbound]:
        """Authentic requests in which one required field is missing or of the wrong type, by the field's name."""
        raise self.lacks("wrong_fields")

    def tampered(self, turn: Turn) -> Mapping[str, Inbound]:
        """A signed turn after somebody changed its body, its time or a signed header, by what was changed."""
        raise self.lacks("tampered")

    def dated(self, turn: Turn, seconds: float) -> Inbound:
        """A turn whose credential or signature was made so many seconds from now (negative: ago)."""
        raise self.lacks("dated")

    def forged(self, turn: Turn) -> Mapping[str, Inbound]:
        """The turn with a token of a wrong issuer, audience, algorithm, key and of none, by what is wrong."""
        raise self.lacks("forged")

    def fetching(self, turn: Turn, url: str) -> Inbound:
        """A turn that has the channel fetch from, or post to, this address."""
        raise self.lacks("fetching")

    def nameless(self, turn: Turn) -> Inbound | None:
        """The turn of a caller who says nothing about a session; None where each request has to name one."""
        return None

    def reference(self, reply: Reply) -> str:
        """What a later turn names as its `parent` to continue after this answer."""
        raise self.lacks("reference")

    def client_state(self, reply: Reply) -> object:
        """The caller's own state as an answer gives it back."""
        raise self.lacks("client_state")

    def cancel(self, turn: Turn, reply: Reply) -> Inbound:
        """Cancels the run that answers `turn`; `reply` is what has come of it so far."""
        raise self.lacks("cancel")

    def token(self, reply: Reply) -> str:
        """By what the run of an answer is asked for later; `reply` is what has come of it so far."""
        raise self.lacks("token")

    def retrieve(self, turn: Turn, token: str) -> Inbound:
        """Where the run of `token` stands, and its result once it has ended; `turn.user` asks."""
        raise self.lacks("retrieve")

    def standing(self, reply: Reply) -> str:
        """Where a run stands as the protocol tells it, in the words of contract 12.1: `queued`, `running`, or its end."""
        raise self.lacks("standing")

    def withdraw(self, turn: Turn, token: str) -> Inbound:
        """Cancels the background run of `token`; `turn.user` asks."""
        raise self.lacks("withdraw")

    def resume(self, turn: Turn, token: str, after: int | None = None) -> Inbound:
        """The events of a run behind number `after`, all by default; `turn.user` asks."""
        raise self.lacks("resume")

    def requests(self, reply: Reply) -> Sequence[str]:
        """The ids of the requests for input that an answer shows, as a client or a button gives them back."""
        raise self.lacks("requests")

    def answer(self, turn: Turn, request_id: str, reply: Reply, *, approve: bool = True) -> Inbound:
        """The answer of `turn.user` to a request that `reply` showed."""
        raise self.lacks("answer")

    def sequence(self, wire: Wire) -> Sequence[int]:
        """The numbers of a stream's events, in the order of the wire."""
        raise self.lacks("sequence")

    def ids(self, wire: Wire) -> Sequence[tuple[str, str]]:
        """Every id on the wire with its kind (`response`, or `item N`), in order, the final object's last."""
        raise self.lacks("ids")

    def markup_refused(self) -> tuple[int, bytes]:
        """Status and body of the platform's answer to a message whose markup it cannot read."""
        raise self.lacks("markup_refused")

    def rate_limited(self, seconds: float) -> PlatformAnswer:
        """The platform's answer to a message that came too soon: the next one may come in so many seconds."""
        raise self.lacks("rate_limited")

    def refused_for_good(self) -> Mapping[str, PlatformAnswer]:
        """The platform's answers to messages for somebody whom none will ever reach again, by what happened.

        The bot is blocked, the conversation is gone, nobody knows it: what of this there is.
        """
        raise self.lacks("refused_for_good")

    def fetched_elsewhere(self) -> PlatformAnswer:
        """The platform's answer to a channel that fetches while another process of the same bot does."""
        raise self.lacks("fetched_elsewhere")

    def distribution(self) -> Distribution | None:
        """The installed package of the channel; by default the one that holds this driver. None if it is in none."""
        from ..conformance.packages import distribution_of

        return distribution_of(type(self).__module__)

    def catalogue(self) -> Mapping[str, str]:
        """The descriptions of the commands that the platform offers now, by name."""
        raise self.lacks("catalogue")

    def offer(self, name: str, description: str) -> Inbound:
        """Puts a command of somebody else into the platform's catalogue; mostly `to="platform"`."""
        raise self.lacks("offer")

    def registers(self, call: PlatformCall) -> bool:
        """Whether a call writes the platform's catalogue of commands."""
        raise self.lacks("registers")

    def lacks(self, hook: str) -> HookMissing:
        """The error of a hook that this driver does not have."""
        return HookMissing(
            f"{type(self).__name__} has no {hook}(); write it, or declare the capability absent"
        )

    def unconfigured(self, env: Env) -> Channel:
        """The channel without any credentials, as who forgets them writes it: no `auth`, or no secret.

        Raises:
            ChannelConfigurationError: It cannot be had so, as it must be on platforms.
        """
        raise self.lacks("unconfigured")

    def opened(self, env: Env) -> Channel:
        """The channel opened to everybody on purpose: `auth=None`, or `dangerously_allow_unauthenticated=True`."""
        raise self.lacks("opened")

    def misconfigured(self, env: Env) -> Sequence[tuple[str, Callable[[], Channel]]]:
        """Ways to build the channel wrongly, each with the option at fault; a wrong option or a missing secret."""
        return []
