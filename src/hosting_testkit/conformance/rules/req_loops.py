"""HC-REQ: bots that hear themselves, or each other."""

from __future__ import annotations

from ...targets.echo import Echo
from ..kit import Kit
from ..registry import rule

_ANOTHER = "bot"
_PATIENCE = 12
"""Messages of another bot after which a channel that lets bots in must have stopped to answer."""


@rule("HC-REQ-009", needs=["messaging"], why="two bots that answer each other talk all night at your expense")
async def bots_do_not_talk_for_ever(k: Kit) -> None:
    """Its own messages are never answered, another bot's not by default, or only a few; people always are."""
    async with k.host(Echo()) as h:
        reply = await h.turn(said := k.nonce())
        k.control(said in reply.text, "a person is answered", observed=reply.text)
        before = len(h.runs)
        own = await h.turn(k.nonce(), author="self")
        k.equal("runs of the bot's own message", len(h.runs) - before, 0)
        k.equal("answers to the bot's own message", own.texts, [])
        before = len(h.runs)
        for _ in range(_PATIENCE):
            await h.turn(k.nonce(), author=_ANOTHER, user="somebody's bot")
        k.check(
            f"runs of {_PATIENCE} messages in a row of another bot",
            len(h.runs) - before < _PATIENCE,
            expected=f"fewer than {_PATIENCE}",
            observed=len(h.runs) - before,
        )
        reply = await h.turn(said := k.nonce())
        k.check("a person is answered afterwards", said in reply.text, observed=reply.text)
