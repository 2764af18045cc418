"""One of the hosts on a store fetches for a bot, and another one goes on when it is gone (channels 3.1)."""

from __future__ import annotations

from ..channel import ChannelContext

_KEY = "host"


class OnePoller:
    """Whose turn it is to poll: a record names the host, and counts as long as that one lives.

    Two hosts that begin at the same moment may both poll once; claims make that harmless (contract 4.3).

    Args:
        context: The channel's way to the host.
    """

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._state = context.state("poller")

    async def is_ours(self) -> bool:
        """Whether this host polls; ask before each poll. Takes the place of a host that is gone."""
        ours, holder = self._context.host_id, await self._state.get(_KEY)
        if holder == ours:
            return True
        if holder is not None and await self._context.host_lives(str(holder)):
            return False
        await self._state.put(_KEY, ours)
        return await self._state.get(_KEY) == ours

    async def leave(self) -> None:
        """Lets another host poll, although this one still lives; for the beginning of the drain (contract 1.7)."""
        if await self._state.get(_KEY) == self._context.host_id:
            await self._state.delete(_KEY)
