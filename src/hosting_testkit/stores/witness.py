"""Kills a process that writes, and tells what it had been promised."""

from __future__ import annotations

import os
import subprocess
import sys

from .check import StoreDefect
from .place import StorePlace


def killed_while_writing(place: StorePlace, acknowledged: int) -> list[str]:
    """Starts a process that writes pairs of records, kills it after so many were acknowledged, and returns their names.

    Raises:
        StoreDefect: The place has no factory for another process, or the process could not write.
    """
    if place.factory is None:
        raise StoreDefect(
            "the store says that it is durable, but its place names no factory: set `factory` to 'package.module:function'"
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "hosting_testkit.stores.writer", place.factory, place.argument],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    with process.stdout as said:
        names = [said.readline() for _ in range(acknowledged)]
        process.kill()
        names += list(said)
    process.wait()
    whole = [name.strip() for name in names if name.endswith("\n")]
    if len(whole) < acknowledged:
        raise StoreDefect(
            f"the process that writes ended after {len(whole)} records; run it by hand: {process.args}"
        )
    return whole
