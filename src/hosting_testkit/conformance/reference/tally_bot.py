"""The same chat bot with a file of its own: it counts what it takes (contract 15.4). For the one rule about files."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar

import msgspec

from hosting import Channel, ChannelConfigurationError

from ...drivers import Env
from .bot import PLATFORM_URL, BotChannel
from .bot_driver import BotDriver


class TallyBotChannel(BotChannel):
    """The reference for channels that keep a file. Options as for `BotChannel`.

    Args:
        tally: The file.
        options: The other options.
    """

    def __init__(self, *, tally: Path, name: str = "tally", path: str = "/tally", **options: Any) -> None:
        super().__init__(name=name, path=path, **options)
        self.tally = tally
        self.taken = 0

    async def start(self) -> None:
        """Reads the file.

        Raises:
            ChannelConfigurationError: It is torn.
        """
        self.taken = self.read()
        await super().start()

    async def take(self, payload: Mapping[str, Any]) -> None:
        """Counts, and claims."""
        self.taken += 1
        self.write(msgspec.json.encode({"taken": self.taken}))
        await super().take(payload)

    def read(self) -> int:
        """What was counted so far."""
        if not self.tally.exists():
            return 0
        try:
            return msgspec.json.decode(self.tally.read_bytes(), type=dict[str, int])["taken"]
        except (msgspec.DecodeError, KeyError) as error:
            raise self.torn() from error

    def torn(self) -> Exception:
        """The refusal to go on with a file that cannot be read."""
        return ChannelConfigurationError(
            f"found a torn file, expected a count in {self.tally}; move it aside to begin anew",
            channel=self.name,
            field="tally",
        )

    def write(self, content: bytes) -> None:
        """Puts a new file in the place of the old one."""
        beside = self.tally.with_suffix(".new")
        beside.write_bytes(content)
        beside.replace(self.tally)


class TallyBotDriver(BotDriver):
    """As `BotDriver`, with a folder for the file."""

    name = "tally"
    channel_class: ClassVar[type[BotChannel]] = TallyBotChannel

    folder: str = ""

    def make(self, env: Env) -> Channel:
        env.secrets["token"] = self.sim.token
        env.clients.append(self.sim.http)
        if not self.folder:
            self.folder = mkdtemp(prefix="tally-")
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        options: dict[str, Any] = {"tally": Path(self.folder) / "tally.json", **env.options}
        http = env.outbound(PLATFORM_URL)
        return self.channel_class(secret=env.secret("signing"), token=self.sim.token, http=http, **options)
