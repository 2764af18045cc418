"""What the author of a store writes so that the suite can try it: where the store keeps its state, and how to upset it."""

from __future__ import annotations

from hosting import HostStateStore


class StorePlace:
    """A place for the state of one store, empty at first. Subclass it; the suite makes one for each check.

    Attributes:
        factory: `package.module:function`, called with `argument` in another process; it returns a store on this state that
            was not opened. Needed where the store says that it is durable.
        argument: What the factory needs to find the state.
        is_shared: Whether several stores may use this state at the same time.
    """

    factory: str | None = None
    argument: str = ""
    is_shared: bool = False

    def store(self) -> HostStateStore:
        """A new store on this state, not opened yet. For one that keeps its state in the object: an empty one."""
        raise NotImplementedError

    async def take_away(self) -> None:
        """Makes the state unreachable: stops a server, locks a file. Leave it out where that cannot happen."""
        raise NotImplementedError

    async def bring_back(self) -> None:
        """Undoes `take_away`."""
        raise NotImplementedError

    def make_newer(self) -> None:
        """Makes the state say that a later release wrote it: sets its schema version to 999."""
        raise NotImplementedError

    def damage(self) -> None:
        """Makes the state something that this store did not write."""
        raise NotImplementedError

    def fingerprint(self) -> object:
        """Something that differs once the state was changed; needed with `make_newer` and `damage`."""
        raise NotImplementedError

    def can(self, name: str) -> bool:
        """Whether the author wrote that method."""
        return getattr(type(self), name) is not getattr(StorePlace, name)
