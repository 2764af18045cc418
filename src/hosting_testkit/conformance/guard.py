"""Watches for real input and output while an item runs: no rule needs any, and `contribute` may do none."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind")
_WRITES = set("wxa+")

_installed = False
_seen: list[str] | None = None
_ADVICE = "conformance items run without a network; use env.outbound(...)"
_advice = _ADVICE


class RealNetwork(OSError):
    """The channel tried to reach a real network; it was stopped."""


@contextmanager
def no_network(advice: str = _ADVICE) -> Generator[list[str]]:
    """Stops every connection and name look-up of the process; gives the list of what was tried, files included.

    A file that is opened for writing and a started process are only noted: the kit itself may do so.
    """
    global _seen, _advice
    _install()
    before, before_advice = _seen, _advice
    _seen, _advice = [], advice
    try:
        yield _seen
    finally:
        _seen, _advice = before, before_advice


def _install() -> None:
    # An audit hook cannot be removed again; outside `no_network` ours does nothing.
    global _installed
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True


def _audit(event: str, args: tuple[object, ...]) -> None:
    if _seen is None:
        return
    if event in _NETWORK:
        _seen.append(f"{event} {args[-1] if event != 'socket.getaddrinfo' else args[:2]}")
        raise RealNetwork(f"{event}: {_advice}")
    if event == "open" and isinstance(args[1], str) and _WRITES & set(args[1]):
        _seen.append(f"open {args[0]} for writing")
    elif event == "subprocess.Popen":
        _seen.append(f"start of {args[0]}")
