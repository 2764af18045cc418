"""What a process is to be, as it is told to the process."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where the state is.

    Args:
        kind: `folder`: a `state_dir`; `sqlite`: a file that hosts may share; `postgres`.
        address: The folder, the file, or the URL of the database.
        schema: Of PostgreSQL.
    """

    kind: str
    address: str
    schema: str = "hosting"

    @property
    def shared(self) -> bool:
        """Whether nobody but the lease says that a host is gone."""
        return self.kind != "folder"


class Job(msgspec.Struct, frozen=True):
    """One process.

    Args:
        id: Its name in reports.
        place: Its state.
        platform: The address of the platform.
        bot: `plain`, `seen` for one that shows its answers as they come, or `early` for one with a defect.
        kill: When and at which step it kills itself: its number, or a word of it; None: it lives.
        later: Seconds that its wall clock is ahead: what the lease of a dead host has to run out.
        hangs: Whether its target never ends at the text `hang`.
        pause: Seconds between two pieces of what it says.
        drain_timeout: Seconds that turns get when it is told to stop.
    """

    id: str
    place: Place
    platform: str
    bot: str = "plain"
    kill: tuple[str, int | str] | None = None
    later: float = 0.0
    hangs: bool = False
    pause: float = 0.03
    drain_timeout: float = 0.2


SECRET = "0123456789abcdef"
HANG = "hang"
"""The text at which the target of a process that `hangs` never ends."""
