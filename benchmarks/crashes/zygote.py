"""Starts processes in milliseconds: it has imported everything, and forks.

A line in is a `Job`. Lines out, of itself and of all of its children, are JSON with the job's `id`: `pid`, then `ready`
with a port, `running` with a text, `dying` with the step, and `exit` with the status at the end.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import tempfile
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import msgspec

from . import victim
from .job import Job, Place


def main() -> None:
    _warm_up()
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _ignore)
    gc.collect()
    gc.freeze()  # so that children share its memory
    jobs: dict[int, str] = {}
    waiting = b""
    while True:
        readable, _, _ = select.select([0, wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
            _bury(jobs)
        if 0 in readable:
            more = os.read(0, 65536)
            if not more:
                break
            *lines, waiting = (waiting + more).split(b"\n")
            for line in lines:
                job = msgspec.json.decode(line, type=Job)
                pid = os.fork()
                if pid == 0:
                    _live(job)
                jobs[pid] = job.id
                _say(job.id, pid=pid)
    for pid in jobs:
        os.kill(pid, signal.SIGKILL)


def _warm_up() -> None:
    """One life in this process, so that everything which is imported at first use is there."""

    def report(**said: Any) -> None:
        if "ready" in said:
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, _ignore)
    with tempfile.TemporaryDirectory() as folder:
        victim.run(Job("", Place("folder", folder), "http://127.0.0.1:9"), report)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _live(job: Job) -> NoReturn:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    status = 1
    try:
        victim.run(job, partial(_say, job.id))
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def _ignore(number: int, frame: FrameType | None) -> None:
    del number, frame


def _bury(jobs: dict[int, str]) -> None:
    while jobs:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        _say(jobs.pop(pid), exit=os.waitstatus_to_exitcode(status))


def _say(id: str, **said: Any) -> None:
    os.write(1, json.dumps({"id": id, **said}).encode() + b"\n")


if __name__ == "__main__":
    main()
