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
        websocket: Turns come over a WebSocket, whose upgrade is authenticated.
        middleware: The channel contributes middleware.
        root_routes: The channel answers outside its own path.
        auth: Inbound requests are authenticated.
        signature: By a signature over the bytes; `tolerance` in seconds where it covers a time.
        jwt: By JSON web tokens.
        sessions: Turns of one conversation share a session.
        caller_sessions: The caller names its sessions, or refers to earlier answers.
        caller_options: The caller's body holds options for the target; `allowed` maps their names to a value each.
        client_state: The caller's body holds state of its own.
        identity: Turns say which person they are from.
        hooks: The channel takes the common hook options (channels 0.1).
        streaming: A turn's text is visible before the turn ends.
        sse: Streams are server-sent events.
        sequence_numbers: Events of a stream are numbered, from `first` on (0).
        edits: Text is shown by editing a message, at most once in `interval` seconds.
        cancel: A run can be cancelled, by an operation of the protocol or by a command.
        background: A caller has a run go on by itself, asks where it stands, and can cancel it. What it came to is kept for
            `seconds` after its end, where not for `limits.background_ttl`.
        retrieve: An answer that began can be asked for by its id, whatever became of its client.
        resume: The numbered events of such a run can be read again, from any of them on.
        approvals: Requests of a run for input are shown and can be answered.
        workflow: Workflow targets are served.
        delivery_ids: A request or event carries an id under which it is handled once, for `seconds` (a day) at least.
        events: The platform sends events that are no turns (edits, joins, receipts).
        webhook: The platform posts events, wants an answer in `deadline` seconds, and sends again what was refused.
        ack_first: Events are acknowledged before they run.
        polling: The channel fetches its events itself.
        messaging: A chat platform, on which answers are messages.
        outbound: The channel calls an API of its platform.
        outbound_urls: It fetches from, or posts to, addresses that come with its input; `host` is one that is allowed.
        push: The channel delivers without an open request.
        reset: A command moves the conversation to a new session.
        commands: Commands of the channel and the host are understood; `forms` where not all of `Turn.form`.
        native_commands: They are registered with the platform; `on_failure` is `warn`, or what else a start does then.
        groups: The bot takes part in group conversations; `scope` where its `conversation_scope` is not the contract's.
        threads: Conversations have threads or topics.
        markup: Texts are sent in a markup in which characters must be escaped.
        attachments_in: Files come in.
        attachments_out: Files go out.
        text_limit: The platform bounds a message: `limit` in `unit` (`utf16`, `codepoints` or `utf8`); `trims=True` where
            it shows no white space around one.
        input_limit: The channel bounds the text of a turn: `limit` in `unit`.
    """

    transports: Mapping[str, Claim] = field(default_factory=_one_transport)
    http: Claim = UNKNOWN
    websocket: Claim = UNKNOWN
    middleware: Claim = UNKNOWN
    root_routes: Claim = UNKNOWN
    auth: Claim = UNKNOWN
    signature: Claim = UNKNOWN
    jwt: Claim = UNKNOWN
    sessions: Claim = UNKNOWN
    caller_sessions: Claim = UNKNOWN
    caller_options: Claim = UNKNOWN
    client_state: Claim = UNKNOWN
    identity: Claim = UNKNOWN
    hooks: Claim = UNKNOWN
    streaming: Claim = UNKNOWN
    sse: Claim = UNKNOWN
    sequence_numbers: Claim = UNKNOWN
    edits: Claim = UNKNOWN
    cancel: Claim = UNKNOWN
    background: Claim = UNKNOWN
    retrieve: Claim = UNKNOWN
    resume: Claim = UNKNOWN
    approvals: Claim = UNKNOWN
    workflow: Claim = UNKNOWN
    delivery_ids: Claim = UNKNOWN
    events: Claim = UNKNOWN
    webhook: Claim = UNKNOWN
    ack_first: Claim = UNKNOWN
    polling: Claim = UNKNOWN
    messaging: Claim = UNKNOWN
    outbound: Claim = UNKNOWN
    outbound_urls: Claim = UNKNOWN
    push: Claim = UNKNOWN
    reset: Claim = UNKNOWN
    commands: Claim = UNKNOWN
    native_commands: Claim = UNKNOWN
    groups: Claim = UNKNOWN
    threads: Claim = UNKNOWN
    markup: Claim = UNKNOWN
    attachments_in: Claim = UNKNOWN
    attachments_out: Claim = UNKNOWN
    text_limit: Claim = UNKNOWN
    input_limit: Claim = UNKNOWN

    @classmethod
    def of(cls, profile: Profile, **claims: Any) -> Capabilities:
        """The claims of a channel of a common kind: what the kind cannot have by its nature need not be said.

        Args:
            profile: The kind.
            claims: What this channel claims; wins over what its kind cannot have.
        """
        absent: dict[str, Any] = {
            name: IMPOSSIBLE(f"no {profile} channel has it") for name in _NEVER[profile]
        }
        return cls(**{**absent, **claims})

    def __getitem__(self, name: str) -> Claim:
        if name not in NAMES:
            raise KeyError(f"no capability {name!r}; known are {', '.join(NAMES)}")
        return getattr(self, name)

    def has(self, name: str) -> bool:
        """Whether rules that need `name` run; `name.number` asks for that number in the claim too."""
        capability, _, number = name.partition(".")
        claim = self[capability]
        return claim.runs and (not number or number in claim.params)

    def items(self) -> Iterator[tuple[str, Claim]]:
        """Every capability by name, transports apart."""
        return ((name, self[name]) for name in NAMES)

    def but(self, **changes: Any) -> Capabilities:
        """A copy with other claims."""
        return replace(self, **changes)

    @property
    def variants(self) -> tuple[str, ...]:
        """The transports that rules run on."""
        return tuple(name for name, claim in self.transports.items() if claim.runs)


NAMES = tuple(item.name for item in fields(Capabilities) if item.name != "transports")

_API = (
    "webhook",
    "ack_first",
    "polling",
    "messaging",
    "outbound",
    "push",
    "events",
    "reset",
    "commands",
    "native_commands",
    "groups",
    "threads",
    "markup",
    "text_limit",
    "edits",
    "identity",
)
_CHAT = (
    "sse",
    "sequence_numbers",
    "caller_sessions",
    "caller_options",
    "client_state",
    "websocket",
    "background",
    "retrieve",
    "resume",
)

_NEVER: Mapping[Profile, tuple[str, ...]] = {
    "rpc": _API,
    "webhook-bot": (*_CHAT, "polling"),
    "poll-bot": (*_CHAT, "http", "webhook", "root_routes", "middleware", "signature", "jwt", "auth"),
    "gateway-bot": (*_CHAT, "http", "webhook", "root_routes", "middleware", "signature", "jwt", "auth"),
    "sink": (),
    "custom": (),
}

PROFILES: Mapping[Profile, tuple[str, ...]] = {
    "rpc": ("http", "sessions", "auth"),
    "webhook-bot": ("http", "webhook", "messaging", "sessions", "auth", "identity", "events", "delivery_ids"),
    "poll-bot": ("polling", "messaging", "sessions", "identity", "events", "delivery_ids"),
    "gateway-bot": ("messaging", "sessions", "identity", "events", "delivery_ids"),
    "sink": ("push",),
    "custom": (),
}
"""What a channel must support to claim a profile, so that nobody turns green by declaring everything impossible."""
