"""HC-DUR: files that a channel keeps by itself."""

from __future__ import annotations

from pathlib import Path

from ...targets.echo import Echo
from ..kit import Kit
from ..model import RuleStopped
from ..own_files import OwnFiles
from ..registry import rule
from ..replicas import Replica, replicas


@rule(
    "HC-DUR-004",
    why="a machine that loses power leaves files torn; who writes over them loses what could have been saved",
)
async def a_torn_file_is_left_alone(k: Kit) -> None:
    """What a channel writes and reads again is never emptied; torn, it keeps the channel from starting, which tells why."""
    files = OwnFiles()
    async with replicas(k, Echo()) as (h,):
        with files.watched():
            for _ in range(2):
                await _answers(k, h)
                await h.host.restart()
        emptied = [path.name for path in files.truncated]
        k.equal("files of state that are emptied to be written", emptied, [])
        for path in files.kept:
            await _torn(k, h, path)


async def _torn(k: Kit, h: Replica, path: Path) -> None:
    await h.host.shutdown()
    whole, half = _content(path), len(_content(path)) // 2
    _write(path, whole[:half])
    told = await _start(h)
    names = path.name in told and "move" in told
    k.check(
        "what a start over a torn file says", names, expected=f"{path.name}, and to move it", observed=told
    )
    await h.host.shutdown()
    same = _content(path) == whole[:half]
    k.check("a torn file after the start", same, expected="as it was", observed="written over")
    _write(path, whole)
    await h.host.start()
    await _answers(k, h)


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def _answers(k: Kit, h: Replica) -> None:
    reply = await h.turn(said := k.nonce())
    k.control(said in reply.text, "a turn is answered", observed=reply.text)


async def _start(h: Replica) -> str:
    """What is said of a start that fails; "" if it does not."""
    try:
        await h.host.start()
    except RuleStopped as failed:
        return str(failed)
    return ""
