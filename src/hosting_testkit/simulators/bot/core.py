"""The parts that the methods of the bot API work on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..parts.behaviours import Behaviours
from ..parts.rate_limit import RateLimiter
from ..parts.updates import UpdateQueue
from .chats import Chat, Chats, Message, Person
from .limits import BotLimits

if TYPE_CHECKING:
    from hosting.clock import TimeSource


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates are posted."""

    url: str
    secret: str


@dataclass(slots=True)
class Press:
    """Somebody pressed a button.

    Attributes:
        id: What the bot answers.
        data: What the button carries.
        by: Who pressed.
        message: The message that it stands under.
        at: When, in epoch seconds.
        answer: The text that the bot answered with; None: it has not answered.
    """

    id: str
    data: str
    by: Person
    message: Message
    at: float
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One entry of the command menu."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Of which messages the bot is told.

    Args:
        own: Of what it wrote itself: for tests of loops.
        bots: Of what other bots wrote.
        unaddressed: Of what in groups is no command, does not mention the bot and does not answer it.
    """

    own: bool = False
    bots: bool = False
    unaddressed: bool = True


@dataclass(slots=True)
class BotCore:
    """The state of the platform; each method takes what it needs of it."""

    bot: Person
    clock: TimeSource
    limits: BotLimits
    behaviours: Behaviours
    rates: RateLimiter
    updates: UpdateQueue
    sight: Sight
    chats: Chats = field(default_factory=Chats)
    webhook: Webhook | None = None
    commands: tuple[Command, ...] = ()
    presses: dict[str, Press] = field(default_factory=dict[str, Press])

    def writable(self, id: str, thread: str | None = None) -> Chat:
        """The chat that the bot wants to write in.

        Raises:
            Refusal: It may not, or there is no such chat or thread.
        """
        refuse, chat = self.behaviours.refuse, self.chats.find(id)
        refuse("unknown_chat", f"chat: found {id!r}, expected a chat that the bot was told of", when=not chat)
        chat = chat or self.chats.group(id, [self.bot])
        refuse("blocked", f"{chat.title} has blocked the bot", when=chat.blocked)
        refuse("not_started", f"{chat.title} has not written to the bot yet", when=not chat.started)
        missing = chat.kind == "group" and self.bot.id not in chat.members
        refuse("not_member", f"the bot is not a member of {chat.title!r}", when=missing)
        unknown = thread is not None and thread not in chat.threads
        refuse(
            "unknown_thread", f"thread: found {thread!r}, expected one of {list(chat.threads)}", when=unknown
        )
        return chat

    def pace(self, chat: Chat) -> None:
        """Counts one message or edit.

        Raises:
            Refusal: There were too many.
        """
        limits = self.limits
        one = limits.per_group if chat.kind == "group" else limits.per_chat
        over = self.rates.take([(chat.id, one), ("all chats", limits.overall)])
        if over:
            key, wait = over
            self.behaviours.refuse(
                "too_many_requests", f"too many messages in {key}; wait {wait:.3f} s", retry_after=wait
            )
