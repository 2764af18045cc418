"""What can go wrong, as data."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that goes wrong."""


# Outbound: what a client meets that calls the platform.


class Reply(Fault, frozen=True, tag="reply"):
    """The platform answers this and does nothing.

    Args:
        status: The HTTP status.
        retry_after: Seconds, for the platform's own way to say so.
        body: The JSON of the answer; None: the platform's usual one for that status.
    """

    status: int
    retry_after: float | None = None
    body: Any = None


class Timeout(Fault, frozen=True, tag="timeout"):
    """No answer comes, and the call did not take effect; the client cannot know that.

    Args:
        after: Seconds until the connection is given up from the platform's side; None: never.
    """

    after: float | None = None


class DeliverThenTimeout(Fault, frozen=True, tag="deliver_then_timeout"):
    """The call takes effect, and its answer is lost: no answer comes."""

    after: float | None = None


class Reset(Fault, frozen=True, tag="reset"):
    """The connection breaks when so many bytes of the answer's body are sent; 0: before the answer begins.

    Args:
        after_bytes: The bytes.
        takes_effect: Whether the call does what it should before that.
    """

    after_bytes: int = 0
    takes_effect: bool = True


class Refuse(Fault, frozen=True, tag="refuse"):
    """The connection is refused: the call surely did not arrive."""


class Slow(Fault, frozen=True, tag="slow"):
    """The answer's body comes at this pace."""

    bytes_per_second: float


class Delay(Fault, frozen=True, tag="delay"):
    """The call takes effect after so many seconds, and its answer comes then."""

    seconds: float


class Malformed(Fault, frozen=True, tag="malformed"):
    """The call takes effect, and something else than its answer comes, such as a proxy's page."""

    status: int = 200
    body: str = "<html><body>Bad gateway</body></html>"
    media_type: str = "text/html"


# Inbound: how events of the platform reach the bot.


class Duplicate(Fault, frozen=True, tag="duplicate"):
    """The event comes again after so many seconds, although it was acknowledged."""

    gap: float = 0.0
    times: int = 1


class Reorder(Fault, frozen=True, tag="reorder"):
    """The events of so many seconds come in reverse order, once those seconds are over."""

    window: float


class Late(Fault, frozen=True, tag="late"):
    """The event comes so many seconds later."""

    seconds: float


class Burst(Fault, frozen=True, tag="burst"):
    """Events are held until there are `size` of them, and then come at once; none is held longer than `patience` seconds."""

    size: int
    patience: float = 60.0


class Disconnect(Fault, frozen=True, tag="disconnect"):
    """The platform's connection breaks: in the middle of the event's body, or before it has read the answer."""

    at: Literal["mid-body", "before-answer"] = "mid-body"


Outbound: TypeAlias = Reply | Timeout | DeliverThenTimeout | Reset | Refuse | Slow | Delay | Malformed
Inbound: TypeAlias = Duplicate | Reorder | Late | Burst | Disconnect
AnyFault: TypeAlias = Outbound | Inbound

INBOUND = (Duplicate, Reorder, Late, Burst, Disconnect)
"""The types of `Inbound`, for `isinstance`."""


def describe(fault: AnyFault) -> str:
    """One fault in words: its name and what differs from the usual."""
    fields = {name: getattr(fault, name) for name in fault.__struct_fields__}
    usual = dict(zip(reversed(fault.__struct_fields__), reversed(fault.__struct_defaults__), strict=False))
    told = [
        f"{name}={value!r}" for name, value in fields.items() if name not in usual or usual[name] != value
    ]
    return f"{str(fault.__struct_config__.tag).replace('_', ' ')} {' '.join(told)}".rstrip()
