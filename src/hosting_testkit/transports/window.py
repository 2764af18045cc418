"""What the app has sent and the client has not read yet, with backpressure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from .asgi import BridgeOptions
from .wakeup import Wakeup

T = TypeVar("T")


class Window(Generic[T]):
    """A queue whose `put` waits while more is in flight than the options allow."""

    def __init__(self, options: BridgeOptions, wakeup: Wakeup) -> None:
        self.taken = 0
        self._options = options
        self._wakeup = wakeup
        self._items: deque[tuple[T, int]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, item: T, size: int, gone: Callable[[], bool]) -> bool:
        """Hand over one item and wait for room; false if the client left while it was still in flight."""
        self._items.append((item, size))
        position = self.taken + len(self._items)
        self._wakeup.notify()
        await self._wakeup.until(lambda: gone() or self._has_room())
        return not gone() or self.taken >= position

    def take(self) -> T:
        """The oldest item; lets waiting senders go on."""
        item, _ = self._items.popleft()
        self.taken += 1
        self._wakeup.notify()
        return item

    def clear(self) -> None:
        """Lose what is in flight."""
        self._items.clear()

    def _has_room(self) -> bool:
        return self._options.has_room(len(self._items), sum(size for _, size in self._items))
