"""A host in a process of its own that dies around a commit: arguments are the folder and `before` or `after`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from hosting import AgentFrameworkHost, ChannelRequest, ChannelSession, SqliteHostStateStore
from hosting.state import Statement
from tests.host.crash_host import Quiet
from tests.host.test_checkpoints import remembering


class Deadly(SqliteHostStateStore):
    """Kills its own process at the second commit of a session."""

    when = ""

    async def execute(self, *unit: Statement) -> Any:
        deadly = any(statement.name == "sessions.save" for statement in unit)
        if deadly and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        rows = await super().execute(*unit)
        if deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows


async def main(folder: Path, when: str) -> None:
    store = Deadly(folder / "hosting.db")
    store.when = when
    host = AgentFrameworkHost(
        remembering, channels=[Quiet()], state=store, checkpoint_location=folder / "checkpoints"
    )
    async with host:
        for text in ("a", "cut off"):
            session = ChannelSession("me", key="s")
            await host.run(ChannelRequest(channel="say", input=text, session=session))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
