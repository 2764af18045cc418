"""What simulators are built of; each part stands alone."""

from .behaviours import Assumed, Behaviour, Behaviours, Documented, Provenance, Recorded
from .clocks import default_clock
from .deliveries import Attempt, Deliverer, Event, bot_transport
from .honesty import Provocation, dishonest
from .markup import BadMarkup, Entity, parse_markup
from .rate_limit import Rate, RateLimiter, TokenBucket
from .redelivery import ONCE, RedeliveryPolicy
from .refusal import Refusal
from .signing import SignatureScheme
from .text_units import utf16_slice, utf16_units
from .updates import Superseded, Update, UpdateQueue

__all__ = [
    "ONCE",
    "Assumed",
    "Attempt",
    "BadMarkup",
    "Behaviour",
    "Behaviours",
    "Deliverer",
    "Documented",
    "Entity",
    "Event",
    "Provenance",
    "Provocation",
    "Rate",
    "RateLimiter",
    "Recorded",
    "RedeliveryPolicy",
    "Refusal",
    "SignatureScheme",
    "Superseded",
    "TokenBucket",
    "Update",
    "UpdateQueue",
    "bot_transport",
    "default_clock",
    "dishonest",
    "parse_markup",
    "utf16_slice",
    "utf16_units",
]
