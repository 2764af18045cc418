"""What a channel claims it can do. A claim is proved by rules; what is not claimed needs a reason.

Nothing is left out in silence: a capability that a driver does not mention is `UNKNOWN`, and rules that need it end
unproven until the driver says `SUPPORTED`, `NOT_IMPLEMENTED("reason")` or `IMPOSSIBLE("reason")`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

State = Literal["supported", "not-implemented", "impossible", "unstable", "unknown"]
Profile = Literal["rpc", "webhook-bot", "poll-bot", "gateway-bot", "sink", "custom"]


@dataclass(frozen=True, slots=True)
class Claim:
    """The state of one capability. Call one of the constants to add a reason or numbers.

    `SUPPORTED(limit=4096, unit="utf16")`, `NOT_IMPLEMENTED("planned")`.

    Args:
        state: Whether the channel does it.
        reason: Why not, in a few words; printed next to each rule that does not apply.
        params: Claims with numbers, which rules probe.
    """

    state: State
    reason: str = ""
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __call__(self, reason: str = "", /, **params: Any) -> Claim:
        return Claim(self.state, reason, params)

    @property
    def runs(self) -> bool:
        """Whether rules that need this capability run."""
        return self.state in ("supported", "unstable")

    @property
    def absent(self) -> bool:
        """Whether the driver says that the channel does not do it."""
        return self.state in ("not-implemented", "impossible")


SUPPORTED = Claim("supported")
NOT_IMPLEMENTED = Claim("not-implemented")
IMPOSSIBLE = Claim("impossible")
UNSTABLE = Claim("unstable")
UNKNOWN = Claim("unknown")


def _one_transport() -> Mapping[str, Claim]:
    return {"http": SUPPORTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The claims of one channel.

    Args:
        transports: Ways a turn reaches the channel, such as `webhook` and `polling`; each rule runs on each of them.
        http: The channel contributes HTTP routes.
        streaming: A turn's text is visible before the turn ends.
        hooks: The channel takes the common hook options (channels 0.1).
        sessions: Turns of one conversation share a session.
        reset: A command moves the conversation to a new session.
        auth: Inbound requests are authenticated.
        events: The platform sends events that are no turns (edits, joins, receipts).
        delivery_ids: A request or event carries an id under which it is handled once.
        push: The channel delivers without an open request.
        text_limit: The platform bounds a message: `limit` in `unit` (`utf16`, `codepoints` or `utf8`).
    """

    transports: Mapping[str, Claim] = field(default_factory=_one_transport)
    http: Claim = UNKNOWN
    streaming: Claim = UNKNOWN
    hooks: Claim = UNKNOWN
    sessions: Claim = UNKNOWN
    reset: Claim = UNKNOWN
    auth: Claim = UNKNOWN
    events: Claim = UNKNOWN
    delivery_ids: Claim = UNKNOWN
    push: Claim = UNKNOWN
    text_limit: Claim = UNKNOWN

    def __getitem__(self, name: str) -> Claim:
        if name not in NAMES:
            raise KeyError(f"no capability {name!r}; known are {', '.join(NAMES)}")
        return getattr(self, name)

    def items(self) -> Iterator[tuple[str, Claim]]:
        """Every capability by name, transports apart."""
        return ((name, self[name]) for name in NAMES)

    def but(self, **changes: Claim) -> Capabilities:
        """A copy with other claims."""
        return replace(self, **changes)

    @property
    def variants(self) -> tuple[str, ...]:
        """The transports that rules run on."""
        return tuple(name for name, claim in self.transports.items() if claim.runs)


NAMES = tuple(item.name for item in fields(Capabilities) if item.name != "transports")

PROFILES: Mapping[Profile, tuple[str, ...]] = {
    "rpc": ("http", "sessions", "auth"),
    "webhook-bot": ("http", "sessions", "auth", "events", "delivery_ids"),
    "poll-bot": ("sessions", "events", "delivery_ids"),
    "gateway-bot": ("sessions", "events", "delivery_ids"),
    "sink": ("push",),
    "custom": (),
}
"""What a channel must support to claim a profile, so that nobody turns green by declaring everything impossible."""
