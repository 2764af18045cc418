"""Channels that lose their file, or stumble over it."""

from __future__ import annotations

import msgspec

from ..reference import TallyBotChannel, TallyBotDriver
from .model import mutant


class _NonAtomicWrite(TallyBotChannel):
    def write(self, content: bytes) -> None:
        self.tally.write_bytes(content)


@mutant("non-atomic-write", kills={"HC-DUR-004": "files of state that are emptied to be written: FAILED"})
class NonAtomicWrite(TallyBotDriver):
    channel_class = _NonAtomicWrite


class _CorruptCrashLoop(TallyBotChannel):
    def torn(self) -> Exception:
        return ValueError("Input data was truncated")


@mutant("corrupt-crash-loop", kills={"HC-DUR-004": "what a start over a torn file says: FAILED"})
class CorruptCrashLoop(TallyBotDriver):
    channel_class = _CorruptCrashLoop


class _CorruptOverwritten(TallyBotChannel):
    def read(self) -> int:
        try:
            return msgspec.json.decode(self.tally.read_bytes(), type=dict[str, int])["taken"]
        except (OSError, msgspec.DecodeError):
            self.write(b'{"taken": 0}')
            return 0


@mutant("corrupt-overwritten", kills={"HC-DUR-004": "a torn file after the start: FAILED"})
class CorruptOverwritten(TallyBotDriver):
    channel_class = _CorruptOverwritten
