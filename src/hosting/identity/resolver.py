"""From a person on a channel to the key that their sessions hang on (contract 9.1)."""

from __future__ import annotations

from collections import OrderedDict

from ..clock import TimeSource, epoch_ms
from ..envelope import ChannelRequest
from ..ids import IdSource
from ..sessions.names import person_key
from ..state.base import HostStateStore
from ..state.tables import identity_keys

_REMEMBERED = 10_000


class FirstSightResolver:
    """Issues a key at first sight and keeps it for good; lookups are one indexed read, cached.

    Args:
        store: Where the keys are kept.
        ids: Makes the keys: they are opaque, so that a native id never shows in a session's name.
        clock: For the row's own record of when.
    """

    def __init__(self, store: HostStateStore, *, ids: IdSource, clock: TimeSource) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def resolve(self, request: ChannelRequest) -> str | None:
        """The isolation key of the request's person; None for an anonymous one, never a shared placeholder."""
        person = person_key(request)
        if person is None:
            return None
        key = self._known.get(person)
        if key is None:
            key = await self._issue(*person)
            self._known[person] = key
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return key

    async def _issue(self, channel: str, native_id: str) -> str:
        rows = await self._store.execute(
            identity_keys.add_identity_key(
                channel, native_id, self._ids.new("iso"), now_ms=epoch_ms(self._clock)
            ),
            identity_keys.load_identity_key(channel, native_id),
        )
        key = identity_keys.read_identity_key(rows[1])
        assert key is not None, "a key was written or stood there before"
        return key
